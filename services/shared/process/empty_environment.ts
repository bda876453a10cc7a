/**
 * Packages read `process.env` as they are loaded, which a worker may not: for it there is nothing in
 * it. To be imported before anything that loads a package.
 *
 * @module
 */
import process from "node:process";

Object.defineProperty(process, "env", { value: {} });
