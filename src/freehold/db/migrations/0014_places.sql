-- How places lie to each other, for queries by place. Nothing here needs an extension, so that the answers are the
-- same on every server. Topology is worked out in exact decimals: PostgreSQL's own operators take for the same what
-- is within 0.000001 of each other, which is a tenth of a metre on earth.
--
-- A place is the text of its coordinates in GeoJSON, without spaces. Edges are lists of four numbers each, x1, y1,
-- x2, y2; other points are lists of two.

create function freehold.coordinates(place anyelement) returns text
    language sql stable strict parallel safe
    as $$ select translate(place::text, '(){}"', '[][]') $$;
comment on function freehold.coordinates is
    'A point, a path or the rings of a polygon as the coordinates of GeoJSON: [x,y], a list of these, a list of lists.';

create function freehold.dimension(place text) returns integer
    language sql immutable strict parallel safe
    return case when starts_with(place, '[[[') then 2 when starts_with(place, '[[') then 1 else 0 end;
comment on function freehold.dimension is '0 of a point, 1 of a line, 2 of an area.';

create function freehold.numbers(place text) returns numeric[]
    language sql immutable strict parallel safe
    return string_to_array(translate(place, '[]', ''), ',')::numeric[];
comment on function freehold.numbers is 'The coordinates of a place one after the other, as the decimals that were written.';

create function freehold.turn(
    x1 numeric, y1 numeric, x2 numeric, y2 numeric, x numeric, y numeric
) returns numeric
    language sql immutable strict parallel safe
    return (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1);
comment on function freehold.turn is
    'Above zero when a point lies left of the way from 1 to 2, below when right of it, zero when on it.';

create function freehold.edges(place text) returns numeric[]
    language plpgsql immutable strict parallel safe
    as $$
declare
    ring text;
    points numeric[];
    area numeric;
    found numeric[] := '{}';
    is_outer boolean := true;
    is_back boolean;
begin
    foreach ring in array string_to_array(place, ']],[[') loop
        points := freehold.numbers(ring);
        area := 0;
        if freehold.dimension(place) = 2 then
            for i in 1 .. cardinality(points) - 3 by 2 loop
                area := area + points[i] * points[i + 3] - points[i + 2] * points[i + 1];
            end loop;
        end if;
        is_back := area <> 0 and (area > 0) <> is_outer;
        for i in 1 .. cardinality(points) - 3 by 2 loop
            if points[i] <> points[i + 2] or points[i + 1] <> points[i + 3] then
                found := array_append(found, points[case when is_back then i + 2 else i end]);
                found := array_append(found, points[case when is_back then i + 3 else i + 1 end]);
                found := array_append(found, points[case when is_back then i else i + 2 end]);
                found := array_append(found, points[case when is_back then i + 1 else i + 3 end]);
            end if;
        end loop;
        is_outer := false;
    end loop;
    return found;
end
$$;
comment on function freehold.edges is
    'The edges of a line or an area that have a length. Those of an area go with its inside on their left.';

create function freehold.ends(place text, edges numeric[]) returns numeric[]
    language sql immutable strict parallel safe
    return case
        when freehold.dimension(place) = 1 and edges[1:2] <> edges[cardinality(edges) - 1:]
            then edges[1:2] || edges[cardinality(edges) - 1:]
        else '{}' end;
comment on function freehold.ends is 'Where a line ends; nothing when it is closed. They are the boundary of a line.';

create function freehold.is_within(x numeric, y numeric, edges numeric[]) returns boolean
    language plpgsql immutable strict parallel safe
    as $$
declare
    inside boolean := false;
begin
    for i in 1 .. cardinality(edges) by 4 loop
        if (edges[i + 1] > y) <> (edges[i + 3] > y)
            and (freehold.turn(edges[i], edges[i + 1], edges[i + 2], edges[i + 3], x, y) > 0)
                = (edges[i + 3] > edges[i + 1])
        then
            inside := not inside;
        end if;
    end loop;
    return inside;
end
$$;
comment on function freehold.is_within is 'Whether a point that is on no edge of an area is within it.';

create function freehold.location(
    x numeric, y numeric, edges numeric[], ends numeric[], is_area boolean
) returns text
    language plpgsql immutable strict parallel safe
    as $$
begin
    if (x = ends[1] and y = ends[2]) or (x = ends[3] and y = ends[4]) then
        return 'B';
    end if;
    for i in 1 .. cardinality(edges) by 4 loop
        if x between least(edges[i], edges[i + 2]) and greatest(edges[i], edges[i + 2])
            and y between least(edges[i + 1], edges[i + 3]) and greatest(edges[i + 1], edges[i + 3])
            and freehold.turn(edges[i], edges[i + 1], edges[i + 2], edges[i + 3], x, y) = 0
        then
            return case when is_area then 'B' else 'I' end;
        end if;
    end loop;
    return case when is_area and freehold.is_within(x, y, edges) then 'I' else 'E' end;
end
$$;
comment on function freehold.location is
    'Where a point is: I on the inside of a line or an area, B on its boundary, E on the outside.';

create function freehold.strips(
    edges numeric[], others numeric[], ends numeric[], is_area boolean,
    out inside boolean, out alike boolean, out opposed boolean, out outside boolean, out met boolean
)
    language plpgsql immutable strict parallel safe
    as $$
declare
    x1 numeric; y1 numeric; x2 numeric; y2 numeric;
    ox1 numeric; oy1 numeric; ox2 numeric; oy2 numeric;
    own1 numeric; own2 numeric; other1 numeric; other2 numeric;
    first numeric; last numeric; length numeric;
    cuts numeric[];
    -- The stretches of an edge that lie along others: first, last, and 1 if these go the same way.
    along numeric[];
    is_along boolean;
    is_within boolean;
    was_within boolean;
begin
    inside := false; alike := false; opposed := false; outside := false; met := false;
    for i in 1 .. cardinality(edges) by 4 loop
        x1 := edges[i]; y1 := edges[i + 1]; x2 := edges[i + 2]; y2 := edges[i + 3];
        cuts := '{}';
        along := '{}';
        for j in 1 .. cardinality(others) by 4 loop
            ox1 := others[j]; ox2 := others[j + 2];
            continue when (ox1 < x1 and ox1 < x2 and ox2 < x1 and ox2 < x2)
                or (ox1 > x1 and ox1 > x2 and ox2 > x1 and ox2 > x2);
            oy1 := others[j + 1]; oy2 := others[j + 3];
            continue when (oy1 < y1 and oy1 < y2 and oy2 < y1 and oy2 < y2)
                or (oy1 > y1 and oy1 > y2 and oy2 > y1 and oy2 > y2);
            other1 := freehold.turn(x1, y1, x2, y2, ox1, oy1);
            other2 := freehold.turn(x1, y1, x2, y2, ox2, oy2);
            continue when sign(other1) * sign(other2) > 0;
            own1 := freehold.turn(ox1, oy1, ox2, oy2, x1, y1);
            own2 := freehold.turn(ox1, oy1, ox2, oy2, x2, y2);
            continue when sign(own1) * sign(own2) > 0;

            if not met then
                met := true;
                for k in 1 .. cardinality(ends) by 2 loop
                    met := met and not (
                        freehold.turn(x1, y1, x2, y2, ends[k], ends[k + 1]) = 0
                        and freehold.turn(ox1, oy1, ox2, oy2, ends[k], ends[k + 1]) = 0
                        and ends[k] between greatest(least(x1, x2), least(ox1, ox2))
                            and least(greatest(x1, x2), greatest(ox1, ox2))
                        and ends[k + 1] between greatest(least(y1, y2), least(oy1, oy2))
                            and least(greatest(y1, y2), greatest(oy1, oy2))
                    );
                end loop;
            end if;
            -- Where on the edge they meet, from 0 to 1: to 60 digits, so that a point that several edges of the
            -- other place lead to is one.
            if other1 = 0 and other2 = 0 then
                length := (x2 - x1) * (x2 - x1) + (y2 - y1) * (y2 - y1);
                first := round(round((ox1 - x1) * (x2 - x1) + (oy1 - y1) * (y2 - y1), 70) / length, 60);
                last := round(round((ox2 - x1) * (x2 - x1) + (oy2 - y1) * (y2 - y1), 70) / length, 60);
                along := along || array[
                    greatest(0, least(first, last)), least(1, greatest(first, last)), (last > first)::integer
                ];
                cuts := cuts || along[cardinality(along) - 2:cardinality(along) - 1];
            else
                cuts := cuts || round(round(own1, 70) / (own1 - own2), 60);
            end if;
        end loop;

        if cardinality(cuts) = 0 then
            -- All of it is on the side on which the edge before it was, if nothing was met at their corner.
            if was_within is null or edges[i - 2] <> x1 or edges[i - 1] <> y1 then
                was_within := is_area and freehold.is_within((x1 + x2) * 0.5, (y1 + y2) * 0.5, others);
            end if;
            inside := inside or was_within;
            outside := outside or not was_within;
            continue;
        end if;
        was_within := null;
        cuts := array(select distinct cut from unnest(cuts || array[0, 1]::numeric[]) as cut order by cut);
        for c in 1 .. cardinality(cuts) - 1 loop
            is_along := false;
            for k in 1 .. cardinality(along) by 3 loop
                if along[k] <= cuts[c] and along[k + 1] >= cuts[c + 1] then
                    is_along := true;
                    alike := alike or along[k + 2] = 1;
                    opposed := opposed or along[k + 2] = 0;
                end if;
            end loop;
            continue when is_along or (outside and (inside or not is_area));
            last := (cuts[c] + cuts[c + 1]) * 0.5;
            is_within := is_area
                and freehold.is_within(x1 + (x2 - x1) * last, y1 + (y2 - y1) * last, others);
            inside := inside or is_within;
            outside := outside or not is_within;
        end loop;
    end loop;
end
$$;
comment on function freehold.strips is
    'Which strips the edges of one place have: inside another, along its edges, in their direction or against it, outside; and whether both meet anywhere but at the ends of lines.';

create function freehold.relate(a text, b text) returns text
    language plpgsql immutable strict parallel safe cost 10000
    as $$
declare
    dimension_of_a integer := freehold.dimension(a);
    dimension_of_b integer := freehold.dimension(b);
    edges_of_a numeric[];
    edges_of_b numeric[];
    ends_of_a numeric[];
    ends_of_b numeric[];
    own record;
    other record;
    at_a text := '';
    at_b text := '';
begin
    if dimension_of_a > dimension_of_b then
        return translate('147258369', '123456789', freehold.relate(b, a));
    end if;
    edges_of_a := freehold.edges(a);
    edges_of_b := freehold.edges(b);
    -- What has no length is a point.
    if cardinality(edges_of_a) = 0 then
        dimension_of_a := 0;
    end if;
    if cardinality(edges_of_b) = 0 then
        if dimension_of_a > 0 then
            return translate('147258369', '123456789', freehold.relate(b, a));
        end if;
        return case when (freehold.numbers(a))[1:2] = (freehold.numbers(b))[1:2]
            then '0FFFFFFF2' else 'FF0FFF0F2' end;
    end if;
    ends_of_b := freehold.ends(b, edges_of_b);
    if dimension_of_a = 0 then
        ends_of_a := (freehold.numbers(a))[1:2];
        at_b := freehold.location(ends_of_a[1], ends_of_a[2], edges_of_b, ends_of_b, dimension_of_b = 2);
        return case at_b when 'I' then '0FF' when 'B' then 'F0F' else 'FF0' end || 'FFF'
            || case when dimension_of_b = 2 then '212' when cardinality(ends_of_b) = 0 then '1F2' else '102' end;
    end if;

    ends_of_a := freehold.ends(a, edges_of_a);
    own := freehold.strips(edges_of_a, edges_of_b, ends_of_a || ends_of_b, dimension_of_b = 2);
    other := freehold.strips(edges_of_b, edges_of_a, '{}', dimension_of_a = 2);
    if dimension_of_a = 2 then
        return case when own.inside or other.inside or own.alike then '2' else 'F' end
            || case when other.inside then '1' else 'F' end
            || case when own.outside or other.inside or own.opposed then '2' else 'F' end
            || case when own.inside then '1' else 'F' end
            || case when own.alike or own.opposed then '1' when own.met then '0' else 'F' end
            || case when own.outside then '1' else 'F' end
            || case when other.outside or own.inside or own.opposed then '2' else 'F' end
            || case when other.outside then '1' else 'F' end
            || '2';
    end if;
    for k in 1 .. cardinality(ends_of_a) by 2 loop
        at_b := at_b
            || freehold.location(ends_of_a[k], ends_of_a[k + 1], edges_of_b, ends_of_b, dimension_of_b = 2);
    end loop;
    for k in 1 .. cardinality(ends_of_b) by 2 loop
        at_a := at_a || freehold.location(ends_of_b[k], ends_of_b[k + 1], edges_of_a, ends_of_a, false);
    end loop;
    return case
            when dimension_of_b = 2 then
                case when own.inside then '1' else 'F' end
                || case when own.alike or own.opposed then '1' when own.met then '0' else 'F' end
            else
                case when own.alike or own.opposed then '1' when own.met then '0' else 'F' end
                || case when at_a like '%I%' then '0' else 'F' end
            end
        || case when own.outside then '1' else 'F' end
        || case when at_b like '%I%' then '0' else 'F' end
        || case when at_b like '%B%' then '0' else 'F' end
        || case when at_b like '%E%' then '0' else 'F' end
        || case
            when dimension_of_b = 2 then '2' || case when other.outside then '1' else 'F' end
            else
                case when other.outside then '1' else 'F' end
                || case when at_a like '%E%' then '0' else 'F' end
            end
        || '2';
end
$$;
comment on function freehold.relate is
    'How two places lie to each other, as the nine letters of the DE-9IM: the dimensions of what their insides, boundaries and outsides share.';

create function freehold.metres(lon1 float8, lat1 float8, lon2 float8, lat2 float8) returns float8
    language sql immutable strict parallel safe
    return 2 * 6371008.8 * asin(sqrt(least(1, greatest(0,
        sind((lat2 - lat1) / 2) ^ 2 + cosd(lat1) * cosd(lat2) * sind((lon2 - lon1) / 2) ^ 2))));
comment on function freehold.metres is 'How far two points are from each other on a sphere with the mean radius of the earth.';

create function freehold.nearest(
    x float8, y float8, x1 float8, y1 float8, x2 float8, y2 float8, narrowing float8
) returns float8
    language sql immutable strict parallel safe
    return least(1, greatest(0, coalesce(
        ((x - x1) * (x2 - x1) * narrowing * narrowing + (y - y1) * (y2 - y1))
        / nullif((x2 - x1) * (x2 - x1) * narrowing * narrowing + (y2 - y1) * (y2 - y1), 0), 0)));
comment on function freehold.nearest is
    'Where on the way from 1 to 2, from 0 to 1, it is nearest to a point, when longitudes are narrowed.';

create function freehold.reach(points float8[], edges float8[], in_metres boolean) returns float8
    language plpgsql immutable strict parallel safe
    as $$
declare
    x float8; y float8; x1 float8; y1 float8; x2 float8; y2 float8; t float8; far float8;
    found float8 := 'Infinity';
begin
    for i in 1 .. cardinality(points) by 2 loop
        y := points[i + 1];
        for j in 1 .. cardinality(edges) by 4 loop
            x1 := edges[j]; y1 := edges[j + 1]; x2 := edges[j + 2]; y2 := edges[j + 3];
            x := points[i];
            if in_metres then
                -- The earth goes on beyond 180 degrees: the point is taken from the side that is nearer.
                x := x + 360 * round(((x1 + x2) / 2 - x) / 360);
                -- A degree of longitude is shorter than one of latitude, by the latitude between the point and
                -- what is nearest to it. Three steps find both.
                t := freehold.nearest(x, y, x1, y1, x2, y2, cosd(y));
                t := freehold.nearest(x, y, x1, y1, x2, y2, cosd((y + y1 + (y2 - y1) * t) / 2));
                t := freehold.nearest(x, y, x1, y1, x2, y2, cosd((y + y1 + (y2 - y1) * t) / 2));
                far := freehold.metres(x, y, x1 + (x2 - x1) * t, y1 + (y2 - y1) * t);
            else
                t := freehold.nearest(x, y, x1, y1, x2, y2, 1);
                far := sqrt((x1 + (x2 - x1) * t - x) ^ 2 + (y1 + (y2 - y1) * t - y) ^ 2);
            end if;
            found := least(found, far);
        end loop;
    end loop;
    return found;
end
$$;
comment on function freehold.reach is 'The least distance of some points to some edges.';

create function freehold.distance(a text, b text, in_metres boolean) returns float8
    language plpgsql immutable strict parallel safe cost 10000
    as $$
declare
    points_of_a float8[] := freehold.numbers(a);
    points_of_b float8[] := freehold.numbers(b);
    edges_of_a float8[];
    edges_of_b float8[];
begin
    if cardinality(points_of_a) = 2 and cardinality(points_of_b) = 2 then
        return freehold.reach(points_of_a, points_of_b || points_of_b, in_metres);
    end if;
    if freehold.relate(a, b) !~ '^FF.FF' then
        return 0;
    end if;
    edges_of_a := freehold.edges(a);
    edges_of_b := freehold.edges(b);
    return least(
        freehold.reach(points_of_a, edges_of_b || points_of_b[1:2] || points_of_b[1:2], in_metres),
        freehold.reach(points_of_b, edges_of_a || points_of_a[1:2] || points_of_a[1:2], in_metres)
    );
end
$$;
comment on function freehold.distance is
    'How far two places are from each other, in metres on earth or in degrees of the plane; 0 when they meet.';
