/**
 * What must hold between entities: they lie in collections, never in a circle, and no two have the
 * same bytes.
 *
 * @module
 */
import { type Item, Problem } from "@fovea/contract";
import type { EntityRepository } from "./repository.ts";

/**
 * @param parentId where an entity is to lie; null is no collection
 * @param item the entity, where it exists already: it may always stay where it is
 * @throws {Problem} `invalid_parent`
 */
export async function checkParent(
  entities: EntityRepository,
  parentId: number | null,
  item?: Item,
): Promise<void> {
  if (parentId === null || parentId === item?.parent_id) return;
  const fault = await faultOf(entities, parentId, item);
  if (fault === undefined) return;
  throw new Problem("invalid_parent", `parent_id is ${parentId}: ${fault}`);
}

async function faultOf(
  entities: EntityRepository,
  parentId: number,
  item: Item | undefined,
): Promise<string | undefined> {
  const parent = await entities.find(parentId);
  if (parent === undefined) return "there is no such entity";
  if (!parent.is_collection) return "that entity is no collection";
  if (parent.is_deleted) return "that collection is deleted: restore it first";
  if (item === undefined || !await entities.isWithin(parentId, item.id)) return undefined;
  return parentId === item.id
    ? "a collection can't lie in itself"
    : `that collection lies in entity ${item.id} itself`;
}

/**
 * @param digests of the bytes that an entity is to have
 * @param id the entity
 * @throws {Problem} `duplicate_file`, naming the entity that has them
 */
export async function refuseDuplicate(
  entities: EntityRepository,
  { md5, sha256 }: { md5: string; sha256: string },
  id: number,
): Promise<void> {
  const existing = await entities.findBySha256(sha256);
  if (existing === undefined || existing.id === id) return;
  const state = existing.is_deleted ? ", which is deleted and can be restored" : "";
  throw new Problem(
    "duplicate_file",
    `these bytes, of MD5 ${md5}, are stored already, as entity ${existing.id}${state}`,
    { entity_id: existing.id },
  );
}
