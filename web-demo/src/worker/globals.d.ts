// What a worker has and a page has not: the library's page and worker types exclude each other.

declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}
