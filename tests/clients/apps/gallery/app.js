// A gallery: photos for all members or for oneself, uploaded in parts, and shown in the size that fits.
import { Account, client, fill, ID, named, on, Permission, Query, Role, show, Storage, welcome } from "/page.js";

const account = new Account(client);
const storage = new Storage(client);
const bucketId = "photos";

/** Where a photo is noted that did not get through: the next try goes on with it, be it after a crash. */
const UNFINISHED = "unfinished";

async function home() {
  const shared = new URLSearchParams(location.search);
  if (shared.has("token")) return showShared(shared.get("photo"), shared.get("token"));
  let user;
  try {
    user = await account.get();
  } catch (error) {
    if (error.code === 401) return welcome(account, home);
    throw error;
  }
  const screen = show("photos", { name: user.name });
  on("submit", screen.add, async ({ photo, album }) => {
    await upload(screen, user, photo, album);
    screen.add.reset();
    await list(screen, user);
  });
  await list(screen, user);
}

async function upload(screen, user, photo, album) {
  const unfinished = JSON.parse(localStorage.getItem(UNFINISHED));
  const isSame = unfinished?.name === photo.name && unfinished.size === photo.size;
  const fileId = isSame ? unfinished.fileId : ID.unique();
  localStorage.setItem(UNFINISHED, JSON.stringify({ fileId, name: photo.name, size: photo.size }));
  const owner = Role.user(user.$id);
  const permissions = [
    Permission.read(album === "public" ? Role.users() : owner),
    Permission.update(owner),
    Permission.delete(owner),
  ];
  const onProgress = ({ progress }) => (screen.progress.textContent += ` ${progress} %`);
  screen.progress.textContent = "Uploading:";
  await storage.createFile({ bucketId, fileId, file: photo, permissions, onProgress });
  localStorage.removeItem(UNFINISHED);
  screen.progress.textContent += " Done.";
}

async function list(screen, user) {
  const { files } = await storage.listFiles({ bucketId, queries: [Query.orderDesc("$createdAt")] });
  screen.list.replaceChildren();
  for (const file of files) {
    const at = { bucketId, fileId: file.$id };
    const item = fill("photo", { caption: file.name });
    const { image, open, original, remove } = named(item);
    image.alt = file.name;
    image.src = storage.getFilePreview({ ...at, width: 120, height: 80 });
    original.href = storage.getFileDownload(at);
    remove.hidden = !file.$permissions.includes(Permission.delete(Role.user(user.$id)));
    on("click", open, async () => {
      const large = document.createElement("img");
      large.alt = `${file.name}, larger`;
      large.src = storage.getFilePreview({ ...at, width: 640, output: "webp" });
      screen.large.replaceChildren(large);
    });
    on("click", remove, async () => {
      await storage.deleteFile(at);
      await list(screen, user);
    });
    screen.list.append(item);
  }
}

function showShared(fileId, token) {
  const { image } = show("shared");
  image.alt = "The shared photo";
  image.src = storage.getFilePreview({ bucketId, fileId, width: 320, token });
}

home().catch((error) => {
  document.querySelector("[role=alert]").textContent = error.message;
});
