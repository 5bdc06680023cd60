/* The one entry: defines the elements that pages use. */
import "./elements/ask-dialog.js";
import "./elements/copy-button.js";
import "./elements/local-time.js";
import "./elements/media-input.js";
import "./elements/menu-popover.js";
import "./elements/play-field.js";
import "./elements/play-page.js";
import "./elements/relative-time.js";
import "./elements/run-view.js";
import "./elements/stream-composer.js";
import "./elements/theme-switch.js";
import "./logs.js";
