//go:build js && wasm

package cli

import (
	"github.com/imprompt/imprompt/model/imageproc"
	"github.com/imprompt/imprompt/model/imageproc/tiffbmp"
)

// The command line has no browser to decode these.
func init() { imageproc.OtherUnsupported = tiffbmp.Unsupported }
