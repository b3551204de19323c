package state

import "github.com/imprompt/imprompt/app/texts"

// Camera is the visitor's camera, from which a still becomes a map's picture.
type Camera struct {
	Asked bool // the browser was asked for it and has not answered
	On    bool
}

// CameraProblem says why there is no picture from the camera, and what to do. name is that of the browser's error (Media
// Capture and Streams, getUserMedia).
func CameraProblem(name string) Problem {
	switch name {
	case "NotAllowedError", "SecurityError":
		return problem(texts.T("The browser does not allow this page to use the camera. Allow it with the icon beside the page's address and press Camera again, or add a picture from a file."), Remedy{ChooseAnother, AddStructure})
	case "NotFoundError", "OverconstrainedError":
		return problem(texts.T("There is no camera. Connect one and press Camera again, or add a picture from a file."), Remedy{ChooseAnother, AddStructure})
	case "NotReadableError", "AbortError":
		return problem(texts.T("Another program is using the camera. Close it and press Camera again, or add a picture from a file."), Remedy{ChooseAnother, AddStructure})
	}
	return problem(texts.T("This browser does not let pages use a camera. Add a picture from a file."), Remedy{ChooseAnother, AddStructure})
}
