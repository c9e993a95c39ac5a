/** What the database's constraints mean to a caller: the fields that a violation points at. */

/** The tables that hold rows of a tenant. The service refuses to start if they are not guarded. */
export const TENANT_TABLES: readonly string[] = ["organization", "project", "person", "audit_log"];

export const CONSTRAINTS: Readonly<Record<string, readonly string[]>> = {
  organization_slug_key: ["slug"],
  organization_name_length_check: ["name"],
  organization_slug_length_check: ["slug"],
  organization_slug_pattern_check: ["slug"],
  project_tenant_id_code_key: ["code"],
  project_owner_id_fkey: ["owner_id"],
  project_name_length_check: ["name"],
  project_code_length_check: ["code"],
  project_status_values_check: ["status"],
  project_budget_range_check: ["budget"],
  person_tenant_id_email_key: ["email"],
  person_email_length_check: ["email"],
};
