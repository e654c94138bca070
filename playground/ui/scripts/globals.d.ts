// What stands on `window` and is no part of browsers.
import type { GradioConfig } from "./page/gradio";

declare global {
  interface Window {
    /** Written into the document by Gradio. */
    gradio_config?: GradioConfig;
    /** Of legacy.js. */
    playground?: Record<string, unknown>;
    bidi?: unknown;
  }
}
