import type { TaskType } from "@fovea/contract";
import type { Task } from "./task.ts";

/** Tasks by their names, in the order in which they are shown. */
export class TaskRegistry {
  readonly #tasks = new Map<TaskType, Task>();
  #isRead = false;

  constructor(tasks: readonly Task[]) {
    for (const task of tasks) this.add(task);
  }

  /** @throws {Error} where the name is taken, or schemas were already made of the tasks there were */
  add(task: Task): void {
    if (this.#tasks.has(task.type)) throw new Error(`task ${task.type} is registered already`);
    if (this.#isRead) throw new Error(`task ${task.type} is registered too late`);
    this.#tasks.set(task.type, task);
  }

  get all(): readonly Task[] {
    this.#isRead = true;
    return [...this.#tasks.values()];
  }

  get types(): readonly TaskType[] {
    return this.all.map(({ type }) => type);
  }

  /** @throws {Error} where there is none of this name */
  get(type: TaskType): Task {
    const task = this.#tasks.get(type);
    if (task === undefined) throw new Error(`there is no task ${type}`);
    return task;
  }

  /** A value for each task. */
  map<T>(value: (task: Task) => T): Record<TaskType, T> {
    return Object.fromEntries(this.all.map((task) => [task.type, value(task)]));
  }
}
