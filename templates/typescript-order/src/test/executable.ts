import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Return the path of a program in PATH. */
export function findExecutable(name: string): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (!found) throw new Error(`${name} is not in PATH: activate the virtual environment in which dx is installed`);
  return found;
}
