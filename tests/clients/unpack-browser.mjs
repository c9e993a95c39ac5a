// Unpacks the Chromium that an npm package ships, with the libraries and fonts that it needs, so that tests in a
// browser need nothing else of the machine. Runs after `npm ci`.
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createBrotliDecompress } from "node:zlib";
import { extract } from "tar-fs";

const shipped = fileURLToPath(new URL("node_modules/@sparticuz/chromium/bin", import.meta.url));
const unpacked = fileURLToPath(new URL("node_modules/.chromium", import.meta.url));

const unpack = (name, into) => pipeline(createReadStream(`${shipped}/${name}`), createBrotliDecompress(), into);

await rm(unpacked, { recursive: true, force: true });
await mkdir(unpacked);
await unpack("al2023.tar.br", extract(unpacked));
await unpack("fonts.tar.br", extract(unpacked));
await writeFile(
  `${unpacked}/fonts.conf`,
  `<fontconfig><dir>${unpacked}/fonts</dir><cachedir>${unpacked}/fonts-cache</cachedir></fontconfig>\n`,
);
await unpack("chromium.br", createWriteStream(`${unpacked}/chromium`, { mode: 0o755 }));
