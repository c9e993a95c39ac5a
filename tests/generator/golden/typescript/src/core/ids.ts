/** Ids: new ones, and those that credentials name. */
import { randomBytes } from "node:crypto";

/** A UUID of version 7: they sort by the time they were made. */
export function newId(): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** A claim as an id of this service; null when it is absent, or an id of some other system. */
export function asUuid(claim: unknown): string | null {
  const isUuid = typeof claim === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(claim);
  return isUuid ? claim.toLowerCase() : null;
}

export function asNumber(claim: unknown): number | null {
  return typeof claim === "string" && /^\d{1,15}$/.test(claim) ? Number(claim) : null;
}

export function asText(claim: unknown): string | null {
  return typeof claim === "string" && claim !== "" ? claim : null;
}
