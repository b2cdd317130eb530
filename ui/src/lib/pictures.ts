// From files a person gives to pictures a model takes: of a kind every provider reads, and no larger than any of
// them looks at.

export type PictureData = { mediaType: string /** Base64, without a prefix. */; data: string };

/** What providers accept. */
export const PICTURE_TYPES: readonly string[] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** Pixels of the longer side beyond which providers scale down themselves. */
const LONGEST_SIDE = 1568;
/** Bytes up to which a picture of fitting size is sent as it is. */
const AS_IT_IS = 1_000_000;
/** Bytes of a file nobody means to send. */
const MOST = 50_000_000;

export type NotAPicture = { name: string; why: "type" | "size" | "unreadable" };

/** The pictures among the files, scaled down where that saves something, and why the others are none. */
export async function readPictures(
  files: readonly File[],
): Promise<{ pictures: PictureData[]; refused: NotAPicture[] }> {
  const pictures: PictureData[] = [];
  const refused: NotAPicture[] = [];
  for (const file of files) {
    if (!PICTURE_TYPES.includes(file.type)) refused.push({ name: file.name, why: "type" });
    else if (file.size > MOST) refused.push({ name: file.name, why: "size" });
    else {
      try {
        pictures.push(await readPicture(file));
      } catch {
        refused.push({ name: file.name, why: "unreadable" });
      }
    }
  }
  return { pictures, refused };
}

async function readPicture(file: File): Promise<PictureData> {
  // Decoding also proves that it is a picture. A page without a decoder sends the file as it is.
  if (typeof createImageBitmap !== "function") return encoded(file, file.type);
  const image = await createImageBitmap(file);
  try {
    const scale = Math.min(1, LONGEST_SIDE / Math.max(image.width, image.height));
    if (scale === 1 && file.size <= AS_IT_IS) return await encoded(file, file.type);
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    const paint = canvas.getContext("2d");
    if (!paint) return await encoded(file, file.type);
    // JPEG has no transparency: what shows through is paper, not black.
    paint.fillStyle = "white";
    paint.fillRect(0, 0, canvas.width, canvas.height);
    paint.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return blob ? await encoded(blob, "image/jpeg") : await encoded(file, file.type);
  } finally {
    image.close();
  }
}

function encoded(blob: Blob, mediaType: string): Promise<PictureData> {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onerror = () => failed(reader.error);
    reader.onload = () => {
      const url = String(reader.result);
      done({ mediaType, data: url.slice(url.indexOf(",") + 1) });
    };
    reader.readAsDataURL(blob);
  });
}

export function pictureUrl({ mediaType, data }: PictureData): string {
  return `data:${mediaType};base64,${data}`;
}

/** A picture of a message as one that can be sent again; none for a picture that is only a link. */
export function pictureData(picture: { kind: string; src?: string }): PictureData[] {
  const [, mediaType, data] = /^data:([^;,]+);base64,(.+)$/.exec(picture.src ?? "") ?? [];
  return mediaType && data ? [{ mediaType, data }] : [];
}
