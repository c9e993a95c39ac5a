/** The closed grammar of row rules: what src/permissions.ts is written in. src/core/sql.ts translates it. */

/** Values that are only known when someone calls. */
export const ME = Symbol("me");
export const TENANT = Symbol("tenant");

/** The column holds one of the values. */
export interface Is {
  readonly column: string;
  readonly values: readonly unknown[];
}

/** The caller is linked to the row. */
export interface MemberOf {
  readonly link: string;
  readonly rowColumn: string;
  readonly userColumn: string;
}

export type Condition = Is | MemberOf;

/** All of the conditions must hold of a row; an empty grant reaches every row. */
export type Grant = readonly Condition[];

export const EVERY_ROW: readonly Grant[] = [[]];

export function is(column: string, ...values: readonly unknown[]): Is {
  return { column, values };
}

export function memberOf(link: string, rowColumn: string, userColumn: string): MemberOf {
  return { link, rowColumn, userColumn };
}
