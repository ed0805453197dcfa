// All that a PGlite holds, to put it back: its memory, and the files of Emscripten's file system with those that are open.
// That takes a tenth of a second, and a new PGlite with a copy of the files some seconds. Between two statements nothing is
// on the stack; what a shared library has of its own outside the memory stays, so that none may have been loaded since.

/** The nodes of the file system, and of each its fields, and its bytes or children. */
function nodes(FS) {
  const found = [];
  const walk = (node) => {
    const directory = FS.isDir(node.mode);
    const held = node.contents && (directory ? { ...node.contents } : FS.isFile(node.mode) && node.contents.slice());
    found.push([node, { ...node }, held]);
    if (directory && held) Object.values(held).forEach(walk);
  };
  walk(FS.root);
  return found;
}

export function saved({ Module: { FS, HEAPU8, stackSave } }) {
  return {
    memory: HEAPU8.slice(),
    stack: stackSave(),
    nodes: nodes(FS),
    names: [...FS.nameTable],
    inode: FS.nextInode,
    streams: FS.streams.map((stream) => stream && [stream, { ...stream }, { ...stream.shared }]),
  };
}

export function rewind({ Module }, state) {
  const { FS } = Module;
  Module.stackRestore(state.stack);
  Module.HEAPU8.set(state.memory);
  Module.HEAPU8.fill(0, state.memory.length); // it grows, and does not shrink
  for (const [node, fields, held] of state.nodes) {
    Object.assign(node, fields);
    if (!held) continue;
    if (ArrayBuffer.isView(held)) node.contents.set(held);
    else node.contents = Array.isArray(held) ? held.slice() : { ...held };
  }
  FS.nameTable = [...state.names];
  FS.nextInode = state.inode;
  FS.streams = state.streams.map((one) => {
    if (!one) return one;
    const [stream, fields, shared] = one;
    Object.assign(stream.shared, shared);
    return Object.assign(stream, fields);
  });
}
