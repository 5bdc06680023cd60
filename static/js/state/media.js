/* Where stored bytes are: the page says it once, as an address with ID in it. */
export function mediaUrl(id) {
  const page = document.querySelector("[data-media-url]");
  return page.dataset.mediaUrl.replace("ID", encodeURIComponent(id));
}
