/** What belongs to what: the relations that `include` follows and that bodies link, by resource and name. */
import { many, one, relations, type Relation } from "./core/include.js";
import { relatedPeople } from "./people/repository.js";
import { relatedProjects } from "./projects/repository.js";

export const RELATIONS = relations({
  project: {
    owner: one("person", relatedPeople, "owner_id", "id", ["project", "owner_id"]),
  },
  person: {
    projects: many("project", relatedProjects, "id", "owner_id", ["project", "owner_id"]),
  },
});

/** The relation of the name, which there has to be. */
export function relation(entity: string, name: string): Relation {
  const found = RELATIONS.get(entity)?.get(name);
  if (found === undefined) throw new Error(`${entity} has no relation ${name}`);
  return found;
}
