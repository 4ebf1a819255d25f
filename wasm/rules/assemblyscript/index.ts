// A rule in AssemblyScript: a business orders with an address of its own, not with one of a free mail service.
//
//	{"domains":["gmail.com","outlook.com"]}
//
// It looks for texts in the JSON of the draft in place of reading it. That is safe for names: a quotation mark in a value has a backslash
// before it, so that "isBusiness":true can be found at the member of that name only.

const accepted = '{"data":{}}';
const refused =
	'{"errors":[{"code":"own-address-required","path":"/buyerEmail","message":"Please use an address of your company."}]}';

// alloc starts a call: it frees the memory of the previous one and returns the address of size bytes for the input.
export function alloc(size: i32): usize {
	heap.reset();
	return heap.alloc(size);
}

export function validate(address: usize, size: i32): u64 {
	return answer(decide(String.UTF8.decodeUnsafe(address, size)));
}

function decide(draft: string): string {
	if (!draft.includes('"isBusiness":true')) return accepted;
	const email = text(draft, '"buyerEmail":"');
	const domain = email.substring(email.indexOf("@") + 1);
	const config = draft.substring(draft.indexOf('"config":{'));
	return email != "" && config.includes('"' + domain + '"') ? refused : accepted;
}

// text returns the string behind a name.
function text(draft: string, name: string): string {
	const start = draft.indexOf(name) + name.length;
	return draft.substring(start, draft.indexOf('"', start));
}

// answer returns the address of a text in the high 32 bits and its size in the low 32 bits.
function answer(json: string): u64 {
	const bytes = String.UTF8.encode(json);
	return ((changetype<usize>(bytes) as u64) << 32) | bytes.byteLength;
}
