// Package tokenizer turns a prompt into the token ids of CLIP's text encoder, as
// transformers' CLIPTokenizer (5.x, on the tokenizers library) does from the same files.
//
// A text passes through these steps, one file each:
//
//	special tokens in the text are set apart           special.go
//	NFC, white space to blanks, lower case             normalize.go
//	words by CLIP's pattern, then by GPT-2's           words.go
//	bytes as printable letters, merged pair by pair    bpe.go
//	start token, cut, end token, padding               tokenizer.go
//
// A tokenizer's folder is read by files.go (which files there are), vocabulary.go (tokens
// and merges), and config.go (everything else).
package tokenizer
