// What stands around the text of a message: the pictures added to it, and the messages that wait before it.
import { X } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/components/ui/button";
import { type PictureData, pictureUrl } from "@/lib/pictures";

type AddedProps = { pictures: PictureData[]; onChange: (pictures: PictureData[]) => void };

export function Added({ pictures, onChange }: AddedProps) {
  const { t } = useTranslation();
  return (
    <ul aria-label={t("composer.pictures")} className="flex flex-wrap gap-2 px-1 pt-1">
      {pictures.map((picture, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same picture may be added twice
        <li key={at} className="relative">
          <img
            src={pictureUrl(picture)}
            alt={t("composer.pictureNumber", { number: at + 1 })}
            className="size-16 rounded-md border object-cover"
          />
          <Button
            size="icon"
            className="absolute -top-1.5 -right-1.5 size-6 rounded-full"
            aria-label={t("composer.removePicture", { number: at + 1 })}
            title={t("composer.removePicture", { number: at + 1 })}
            onClick={() => onChange(pictures.filter((_, index) => index !== at))}
          >
            <X aria-hidden className="size-3" />
          </Button>
        </li>
      ))}
    </ul>
  );
}

type QueueProps = {
  queued: ReadonlyArray<{ text: string; pictures: readonly PictureData[] }>;
  onUnqueue: (at: number) => void;
};

export function Queue({ queued, onUnqueue }: QueueProps) {
  const { t } = useTranslation();
  return (
    <ul aria-label={t("composer.queued")} className="flex flex-col gap-1">
      {queued.map(({ text, pictures }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same words may be queued twice
        <li key={at} className="flex items-center gap-2 rounded-md border border-dashed px-2 py-1">
          <span className="text-xs text-muted-foreground">{t("composer.queuedMark")}</span>
          <span className="min-w-0 flex-1 truncate">{text}</span>
          {pictures.length > 0 ? (
            <span className="text-xs text-muted-foreground">
              {t("composer.pictureCount", { count: pictures.length })}
            </span>
          ) : null}
          <Button
            size="icon"
            variant="quiet"
            aria-label={t("composer.unqueue")}
            title={t("composer.unqueue")}
            onClick={() => onUnqueue(at)}
          >
            <X aria-hidden className="size-3.5" />
          </Button>
        </li>
      ))}
    </ul>
  );
}
