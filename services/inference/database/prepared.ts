/**
 * Queries that are built once and run many times. To build one takes Kysely several times as long
 * as it takes SQLite to run it; on the path of every job that is what the service would be busy with.
 *
 * @module
 */
import { type Compilable, type CompiledQuery, type Kysely, type RawBuilder, sql } from "kysely";
import type { Tables } from "./tables.ts";

/** Stands where a value will. */
class Place {
  constructor(readonly name: string) {}
}

type Places<Values> = { [Name in keyof Values]: RawBuilder<Values[Name]> };

/**
 * @example
 * ```ts ignore
 * const find = prepared<{ jobId: string }>()((db, { jobId }) =>
 *   db.selectFrom("job").selectAll().where("job_id", "=", jobId)
 * );
 * const [job] = await find(transaction, { jobId: "…" });
 * ```
 */
export function prepared<Values extends Record<string, unknown>>() {
  const places = new Proxy({}, {
    get: (_target, name) => sql.val(new Place(String(name))),
  }) as Places<Values>;
  return <Row>(build: (db: Kysely<Tables>, places: Places<Values>) => Compilable<Row>) => {
    let compiled: CompiledQuery<Row> | undefined;
    return async (db: Kysely<Tables>, values: Values): Promise<Row[]> => {
      compiled ??= build(db, places).compile();
      const parameters = compiled.parameters.map((parameter) =>
        parameter instanceof Place ? values[parameter.name] : parameter
      );
      return (await db.executeQuery<Row>({ ...compiled, parameters })).rows;
    };
  };
}
