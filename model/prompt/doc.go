// Package prompt turns a prompt into token ids and a weight for each. It reads a prompt literally,
// as diffusers' pipelines do, or with the markup of AUTOMATIC1111's web UI:
//
//	(word)      weighs a word 1.1 times as much
//	(word:1.3)  weighs it 1.3 times as much
//	[word]      weighs it 1.1 times less
//	\( \) \[ \] are the signs themselves
//	BREAK       begins the next chunk of the text encoder
//
// A prompt that is read with markup may have any length: it is cut into chunks that the text
// encoder reads one by one. Both readings know textual inversions by their names.
//
// Sources: parse_prompt_attention and get_weighted_text_embeddings of diffusers'
// examples/community/lpw_stable_diffusion.py; for BREAK and for embeddings, modules/prompt_parser.py
// and modules/sd_hijack_clip.py of the web UI.
package prompt
