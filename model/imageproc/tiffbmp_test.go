package imageproc

import "github.com/imprompt/imprompt/model/imageproc/tiffbmp"

// The tests read what the command line reads.
func init() { OtherUnsupported = tiffbmp.Unsupported }
