package settings

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// BackgroundColour is Background as red, green and blue.
func (s Settings) BackgroundColour() ([3]uint8, error) {
	if s.Background == "" {
		return [3]uint8{255, 255, 255}, nil
	}
	digits := strings.TrimPrefix(s.Background, "#")
	if len(digits) == 3 { // as in CSS, each digit stands for two
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != 3 {
		return [3]uint8{}, fmt.Errorf("background is %q. Give a colour such as #ffffff (white) or #000000 (black)", s.Background)
	}
	return [3]uint8(b), nil
}
