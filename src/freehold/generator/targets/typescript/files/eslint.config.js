import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  globalIgnores([".freehold/", "client/", "dist/", "eslint.config.js"]),
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers read the same in a text as they do elsewhere.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // `tsc` asks for brackets where a key may be missing.
      "@typescript-eslint/dot-notation": "off",
      // The runner waits for tests by itself.
      "@typescript-eslint/no-floating-promises": [
        "error",
        { allowForKnownSafeCalls: [{ from: "package", name: "test", package: "node:test" }] },
      ],
      eqeqeq: "error",
    },
  },
);
