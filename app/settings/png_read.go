package settings

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxText is the limit for a text chunk, compressed or not. A prompt has thousands of
// bytes, and ComfyUI's largest graphs have about a million.
const maxText = 4 << 20

// foreignKeys are the keys under which other programs keep settings, the best one
// first.
var foreignKeys = []string{keyA1111, "prompt", "invokeai_metadata", "workflow"}

// ReadPNG reads the settings that a PNG carries, without decoding its pixels:
// its "imprompt" JSON if it has one, otherwise another program's text. With a *Partial
// the settings are good. With any other error they are the defaults.
func ReadPNG(r io.Reader) (Settings, error) {
	texts, err := readTexts(r)
	foreign := ""
	for _, key := range foreignKeys {
		// ComfyUI's keys may hold anything in another program's file.
		if text, ok := texts[key]; ok && foreign == "" && (key == keyA1111 || isSettings(text)) {
			foreign = text
		}
	}
	if whole, ok := texts[keyJSON]; ok {
		s, err := fromPicture([]byte(whole))
		if _, partial := err.(*Partial); err == nil || partial || foreign == "" {
			return s, err
		}
		s, _ = Parse(foreign)
		return s, &Partial{[]string{"everything but the words and the numbers is damaged"}}
	}
	if foreign != "" {
		return Parse(foreign)
	}
	if err == nil {
		err = ErrNoSettings
	}
	return Default(), err
}

// readTexts collects the texts of keyJSON and foreignKeys. It stops at the JSON, since
// nothing better can follow. Texts that were read before an error are good.
func readTexts(r io.Reader) (map[string]string, error) {
	texts := map[string]string{}
	start := make([]byte, len(signature))
	if _, err := io.ReadFull(r, start); err != nil || string(start) != signature {
		return texts, errors.New("this file is not a PNG")
	}
	var damage error // in a text chunk; another one may still be good
	for {
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return texts, cutOff(err)
		}
		length, kind := binary.BigEndian.Uint32(head[:]), string(head[4:])
		if length > 1<<31-1 {
			return texts, fmt.Errorf("this PNG is damaged: a chunk claims %d bytes", length)
		}
		if kind == "IEND" {
			return texts, damage
		}
		if kind != "tEXt" && kind != "zTXt" && kind != "iTXt" {
			if _, err := io.CopyN(io.Discard, r, int64(length)+4); err != nil {
				return texts, cutOff(err)
			}
			continue
		}
		key, text, err := readText(r, kind, int64(length))
		var cut *cutError
		if errors.As(err, &cut) {
			return texts, err
		}
		if err != nil {
			damage = err
			continue
		}
		if _, again := texts[key]; !again && isOurs(key) {
			texts[key] = text
		}
		if key == keyJSON {
			return texts, nil
		}
	}
}

// cutError says that the file ends too early, so that there is nothing more to read.
type cutError struct{ cause error }

func (e *cutError) Error() string { return "this PNG is cut off. Download or save it again" }
func (e *cutError) Unwrap() error { return e.cause }

func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &cutError{err}
	}
	return fmt.Errorf("this PNG cannot be read: %w", err)
}

// readText reads one text chunk's content and checksum. It skips a text with another
// key, which may be of any size and kind.
func readText(r io.Reader, kind string, length int64) (key, text string, err error) {
	const longestKey = 79
	var data bytes.Buffer
	if _, err := io.CopyN(&data, r, min(length, longestKey+1)); err != nil {
		return "", "", cutOff(err)
	}
	key, _, ok := strings.Cut(data.String(), "\x00")
	ours := ok && isOurs(key)
	rest := length - int64(data.Len())
	if !ours || length > maxText {
		if _, err := io.CopyN(io.Discard, r, rest+4); err != nil {
			return "", "", cutOff(err)
		}
		if !ours {
			return "", "", nil
		}
		return "", "", fmt.Errorf("this PNG's %q text has %d MB, which is more than any prompt has, and is ignored", key, length>>20)
	}
	if _, err := io.CopyN(&data, r, rest); err != nil {
		return "", "", cutOff(err)
	}
	var sum [4]byte
	if _, err := io.ReadFull(r, sum[:]); err != nil {
		return "", "", cutOff(err)
	}
	if crc32.Update(crc32.ChecksumIEEE([]byte(kind)), crc32.IEEETable, data.Bytes()) != binary.BigEndian.Uint32(sum[:]) {
		return "", "", fmt.Errorf("this PNG's %q text is damaged: its checksum is wrong", key)
	}
	text, err = unpackText(kind, data.Bytes()[len(key)+1:])
	if err != nil {
		return "", "", fmt.Errorf("this PNG's %q text is damaged: %w", key, err)
	}
	return key, text, nil
}

func isOurs(key string) bool { return key == keyJSON || slices.Contains(foreignKeys, key) }

// unpackText decodes what follows the keyword in a text chunk.
func unpackText(kind string, data []byte) (string, error) {
	switch kind {
	case "tEXt":
		return fromLatin1(data), nil
	case "zTXt":
		if len(data) < 1 || data[0] != 0 {
			return "", errors.New("its compression is unknown")
		}
		plain, err := inflate(data[1:])
		return fromLatin1(plain), err
	}
	// iTXt: compressed or not, method, language, translated keyword, text.
	if len(data) < 2 {
		return "", errors.New("it is too short")
	}
	compressed, method := data[0], data[1]
	_, rest, ok := bytes.Cut(data[2:], []byte{0})
	if ok {
		_, rest, ok = bytes.Cut(rest, []byte{0})
	}
	if !ok {
		return "", errors.New("it has no language and translated keyword")
	}
	if compressed != 0 {
		if method != 0 {
			return "", errors.New("its compression is unknown")
		}
		var err error
		if rest, err = inflate(rest); err != nil {
			return "", err
		}
	}
	if !utf8.Valid(rest) {
		return "", errors.New("it is not UTF-8")
	}
	return string(rest), nil
}

func inflate(packed []byte) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(z, maxText+1))
	if err != nil {
		return nil, err
	}
	if len(plain) > maxText {
		return nil, fmt.Errorf("it unpacks to more than %d bytes", maxText)
	}
	return plain, nil
}

// fromLatin1 decodes a text that is Latin-1 according to PNG. Many programs write UTF-8
// all the same, which is recognized by its form.
func fromLatin1(data []byte) string {
	if utf8.Valid(data) {
		return string(data)
	}
	var b strings.Builder
	for _, c := range data {
		b.WriteRune(rune(c))
	}
	return b.String()
}
