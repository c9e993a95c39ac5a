/** What belongs to what: the relations that `include` follows and that bodies link, by resource and name. */
import type { Relation, Relations } from "./core/include.js";
import { relatedPeople } from "./people/repository.js";
import { relatedProjects } from "./projects/repository.js";

export const RELATIONS: Relations = new Map([
  [
    "project",
    new Map<string, Relation>([
      [
        "owner",
        {
          entity: "person",
          many: false,
          key: "owner_id",
          column: "id",
          guard: ["project", "owner_id"],
          load: relatedPeople,
        },
      ],
    ]),
  ],
  [
    "person",
    new Map<string, Relation>([
      [
        "projects",
        {
          entity: "project",
          many: true,
          key: "id",
          column: "owner_id",
          guard: ["project", "owner_id"],
          load: relatedProjects,
        },
      ],
    ]),
  ],
]);

/** The relation of the name, which there has to be. */
export function relation(entity: string, name: string): Relation {
  const found = RELATIONS.get(entity)?.get(name);
  if (found === undefined) throw new Error(`${entity} has no relation ${name}`);
  return found;
}
