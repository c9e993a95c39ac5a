/** What the hooks of a resource are: functions that run in the transaction of a change. */
import type { Tx } from "./db.js";

/** Throwing a `Problem` refuses the change and undoes everything. Bodies may be changed before they are written. */
export interface Hooks<Row, Create, Update, Id> {
  /** A row is about to be made, or changed by its natural key. */
  beforeCreate?(tx: Tx, body: Create): Promise<void>;
  /** A row was made. */
  afterCreate?(tx: Tx, row: Row): Promise<void>;
  /** A row is about to be changed, if the caller may. */
  beforeUpdate?(tx: Tx, id: Id, patch: Update): Promise<void>;
  /** A row was changed. */
  afterUpdate?(tx: Tx, row: Row): Promise<void>;
  /** A row is about to be deleted, if the caller may. */
  beforeDelete?(tx: Tx, id: Id): Promise<void>;
  /** A row was deleted. */
  afterDelete?(tx: Tx, id: Id): Promise<void>;
}
