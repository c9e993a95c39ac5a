-- What services of their own may ask of sessions: whose one is, and in which teams. Not who else there is.

create schema freehold_services;

create function freehold_services.session(of_project text, of_user text, with_digest bytea, in_team text)
    returns table (tenant_id text, roles text[])
    language sql stable security definer set search_path = pg_catalog, pg_temp as $session$
    select m.team_id, m.roles
    from freehold.sessions s
    join freehold.users u on u.project_id = s.project_id and u.id = s.user_id
    left join freehold.memberships m
        on m.project_id = u.project_id and m.user_id = u.id and m.confirmed and m.team_id = coalesce(in_team, m.team_id)
    where s.project_id = of_project and s.user_id = of_user and s.secret_digest = with_digest and s.expires_at > now()
        and u.enabled
        -- half a session, whose second factor is still to be shown, opens nothing
        and not (
            u.mfa
            and (select count(distinct shown) from unnest(s.factors) shown) < 2
            and (
                u.email is not null and u.email_verified and 'email' <> all (s.factors)
                or u.phone is not null and u.phone_verified and 'phone' <> all (s.factors)
                or 'totp' <> all (s.factors) and exists (
                    select from freehold.authenticators a
                    where a.project_id = u.project_id and a.user_id = u.id and a.verified
                )
            )
        )
    order by m.team_id
    limit 2
$session$;
comment on function freehold_services.session(text, text, bytea, text) is
    'No row: no such session. A row without a team: its user is in none, or not in the one that was asked for.';
revoke all on function freehold_services.session(text, text, bytea, text) from public;
