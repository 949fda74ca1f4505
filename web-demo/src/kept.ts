// Files in this browser's own storage, with what a person wrote for each of them.
//
// Not for deciding what is kept (`keeper.ts`). The one decision to know: a file and what was written for it are two
// records, so that a letter typed into a spec does not write the file once more.

const DATABASE = 'lakegate';

/** What a person wrote for a file. */
export interface Work {
  /** The person's own spec; the empty text where there is none. */
  spec: string;
  edited: boolean;
  /** Numbers of mended records, and their texts. */
  mended: [number, string][];
}

export interface Kept extends Work {
  key: number;
  name: string;
  file: Blob;
}

/** All that is kept, in the order in which it came. */
export async function all(): Promise<Kept[]> {
  const [files, work] = await within('readonly', (stores) => [stores.files.getAll(), stores.work.getAll()] as const);
  const written = new Map((work.result as (Work & { key: number })[]).map((one) => [one.key, one]));
  return (files.result as Omit<Kept, keyof Work>[]).flatMap((file) => {
    const work = written.get(file.key);
    return work ? [{ ...work, ...file }] : [];
  });
}

/** Keeps a file; answers with the key that it has from then on. */
export async function add(name: string, file: Blob, work: Work): Promise<number> {
  const key = await within('readwrite', (stores) => {
    const added = stores.files.add({ name, file });
    added.onsuccess = () => stores.work.put({ ...work, key: added.result });
    return added;
  });
  return key.result as number;
}

/** Keeps what is written for a file now. */
export async function rewrite(key: number, work: Work): Promise<void> {
  await within('readwrite', (stores) => stores.work.put({ ...work, key }));
}

export async function remove(key: number): Promise<void> {
  await within('readwrite', (stores) => [stores.files.delete(key), stores.work.delete(key)]);
}

/** Deletes all of it. */
export async function removeAll(): Promise<void> {
  await new Promise<void>((done, fail) => {
    const asked = indexedDB.deleteDatabase(DATABASE);
    asked.onsuccess = () => done();
    asked.onerror = () => fail(asked.error);
  });
}

type Stores = Record<'files' | 'work', IDBObjectStore>;

/** One transaction, whole or not at all; the database is closed behind it, so that nothing is in the way of deleting it. */
async function within<T>(mode: IDBTransactionMode, act: (stores: Stores) => T): Promise<T> {
  const database = await opened();
  try {
    const transaction = database.transaction(['files', 'work'], mode);
    const asked = act({ files: transaction.objectStore('files'), work: transaction.objectStore('work') });
    await new Promise<void>((done, fail) => {
      transaction.oncomplete = () => done();
      transaction.onabort = () => fail(transaction.error);
    });
    return asked;
  } finally {
    database.close();
  }
}

function opened(): Promise<IDBDatabase> {
  return new Promise((done, fail) => {
    const asked = indexedDB.open(DATABASE, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore('files', { keyPath: 'key', autoIncrement: true });
      asked.result.createObjectStore('work', { keyPath: 'key' });
    };
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
}
