/** Detector of images in base64: of identity documents, faces, scanned papers. @module */
import { addHit, type Scan } from './scan.ts'

/** First characters of JPEG, PNG, GIF, PDF, WebP and BMP in base64, at the start of a text or data URL. */
const MAGIC =
  /^(?:data:[a-z/+.-]{1,40};base64,)?(?:\/9j\/|iVBORw0KGgo|R0lGOD|JVBERi0|UklGR)[A-Za-z0-9+/_-]{16}/

/** Finds an image or PDF that a text carries whole. Nobody can say here what it shows. */
export function findImage(scan: Scan): void {
  if (MAGIC.test(scan.text))
    addHit(scan, 'id-image', 0, scan.text.length, 0.6, 'image or PDF in base64')
}
