// dropBrokenImages removes images that do not load. Their text is beside them: the product's name, the merchant's.
export function dropBrokenImages(): void {
	for (const image of [...document.images]) {
		const drop = () => (image.closest("li") ?? image).remove();
		if (image.complete && image.naturalWidth === 0) drop();
		else image.addEventListener("error", drop);
	}
}
