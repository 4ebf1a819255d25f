// The sentences that the store asks buyers to agree to. The style sheet shows those of the chosen country.

import { complain, form, relist } from "./fields.ts";

const boxes = [...form.querySelectorAll<HTMLInputElement>("[name=consent]")];
const asked = () => boxes.filter((box) => box.checkVisibility());

// agreed returns the versions of the texts that the buyer has ticked.
export const agreed = (): string[] => asked().filter((box) => box.checked).map((box) => box.value);

// unticked returns the boxes that the buyer must tick still.
export const unticked = (): HTMLInputElement[] => asked().filter((box) => !box.checked);

for (const box of boxes) {
	box.addEventListener("change", () => {
		complain(box, "");
		relist();
	});
}
