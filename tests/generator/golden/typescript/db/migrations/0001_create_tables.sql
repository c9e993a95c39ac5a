-- migrate:up
set local lock_timeout = '3s';
set local statement_timeout = '10min';

CREATE TABLE organization (
    id uuid NOT NULL,
    created_at timestamptz(3) DEFAULT now() NOT NULL,
    updated_at timestamptz(3) DEFAULT now() NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    name text NOT NULL,
    slug text NOT NULL,
    CONSTRAINT organization_pkey PRIMARY KEY (id),
    CONSTRAINT organization_slug_key UNIQUE (slug),
    CONSTRAINT organization_name_length_check CHECK (char_length(name) <= 120),
    CONSTRAINT organization_slug_length_check CHECK (char_length(slug) <= 60),
    CONSTRAINT organization_slug_pattern_check CHECK (slug ~ '^[a-z0-9-]+$')
);

CREATE TABLE project (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    created_at timestamptz(3) DEFAULT now() NOT NULL,
    updated_at timestamptz(3) DEFAULT now() NOT NULL,
    created_by text,
    updated_by text,
    version integer DEFAULT 1 NOT NULL,
    deleted_at timestamptz(3),
    name text NOT NULL,
    code text NOT NULL,
    status text DEFAULT 'draft' NOT NULL,
    budget numeric(12,2),
    settings jsonb,
    owner_id uuid,
    search_vector tsvector GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, coalesce(name, ''))) STORED,
    CONSTRAINT project_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT project_name_length_check CHECK (char_length(name) <= 100),
    CONSTRAINT project_code_length_check CHECK (char_length(code) <= 20),
    CONSTRAINT project_status_values_check CHECK (status IN ('draft', 'active', '1st')),
    CONSTRAINT project_budget_range_check CHECK (budget >= 0)
);

CREATE TABLE person (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    created_at timestamptz(3) DEFAULT now() NOT NULL,
    updated_at timestamptz(3) DEFAULT now() NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    email text NOT NULL,
    CONSTRAINT person_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT person_tenant_id_email_key UNIQUE (tenant_id, email),
    CONSTRAINT person_email_length_check CHECK (char_length(email) <= 320)
);

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    tenant_id uuid,
    actor_id text,
    request_id text,
    entity text NOT NULL,
    entity_id text NOT NULL,
    action text NOT NULL,
    before jsonb,
    after jsonb,
    at timestamptz(3) DEFAULT now() NOT NULL,
    CONSTRAINT audit_log_pkey PRIMARY KEY (id)
);

CREATE UNIQUE INDEX project_tenant_id_code_key ON project (tenant_id, code) WHERE deleted_at IS NULL;

CREATE INDEX project_tenant_id_owner_id_idx ON project (tenant_id, owner_id, id);

CREATE INDEX project_tenant_id_status_created_at_idx ON project (tenant_id, status, created_at DESC, id DESC);

CREATE INDEX project_search_vector_idx ON project USING gin (search_vector);

CREATE INDEX audit_log_tenant_id_entity_entity_id_id_idx ON audit_log (tenant_id, entity, entity_id, id);

ALTER TABLE project ADD CONSTRAINT project_owner_id_fkey FOREIGN KEY (tenant_id, owner_id) REFERENCES person (tenant_id, id) ON DELETE SET NULL (owner_id);

CREATE FUNCTION write_audit_log() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $audit$
DECLARE
    row_before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - 'search_vector' END;
    row_after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - 'search_vector' END;
    changed jsonb := coalesce(row_after, row_before);
BEGIN
    EXECUTE format(
        'INSERT INTO %I.audit_log (tenant_id, actor_id, request_id, entity, entity_id, action, before, after)'
        ' VALUES (%L, $1, $2, $3, $4, $5, $6, $7)',
        TG_TABLE_SCHEMA, changed ->> nullif(TG_ARGV[1], '')
    ) USING
        nullif(current_setting('app.actor_id', true), ''),
        nullif(current_setting('app.request_id', true), ''),
        TG_ARGV[0],
        changed ->> TG_ARGV[2],
        CASE TG_OP WHEN 'INSERT' THEN 'create' ELSE lower(TG_OP) END,
        row_before,
        row_after;
    RETURN NULL;
END
$audit$;

ALTER TABLE organization ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant_isolation ON organization
    USING (id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (id = nullif(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE project ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant_isolation ON project
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON project
    FOR EACH ROW EXECUTE FUNCTION write_audit_log('project', 'tenant_id', 'id');

ALTER TABLE person ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant_isolation ON person
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY tenant_isolation ON audit_log
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
    WITH CHECK (tenant_id IS NULL OR tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);

COMMENT ON TABLE project IS 'A piece of work with a budget.';

-- migrate:down
set local lock_timeout = '3s';
set local statement_timeout = '10min';

COMMENT ON TABLE project IS NULL;

DROP TRIGGER audit ON project;

DROP FUNCTION write_audit_log();

ALTER TABLE project DROP CONSTRAINT project_owner_id_fkey;

DROP TABLE audit_log;

DROP TABLE person;

DROP TABLE project;

DROP TABLE organization;
