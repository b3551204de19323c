package state

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/imprompt/imprompt/app/protocol"
)

// Refusal says why there is no engine, and what the visitor can do about it. The zero value says that there is one.
type Refusal struct{ Title, Text string }

var chromeVersion = regexp.MustCompile(`Chrom(?:e|ium)/(\d+)`)

// WithoutWebGPU says what a browser without WebGPU lacks. secure is its isSecureContext.
func WithoutWebGPU(userAgent string, secure bool) Refusal {
	version := 0
	if m := chromeVersion.FindStringSubmatch(userAgent); m != nil {
		version, _ = strconv.Atoi(m[1])
	}
	switch {
	case !secure:
		return Refusal{"This address is not a secure one", "Browsers give a page the graphics card only on https, or on this machine's own http://localhost. Open Imprompt at such an address."}
	case version > 0 && version < 113:
		return Refusal{"This browser is too old", "Version " + strconv.Itoa(version) + " has no WebGPU, with which Imprompt draws on your own graphics card; from 113 on it does. Update the browser, then open this page again."}
	case version > 0:
		return Refusal{"WebGPU is switched off in this browser", "Imprompt draws with it on your own graphics card. Switch on graphics acceleration in the browser's settings, under System. On Linux, chrome://flags/#enable-unsafe-webgpu may be needed as well. Then start the browser again."}
	}
	return Refusal{"This browser has no WebGPU", "Imprompt draws with it on your own graphics card. A current Chrome or Edge has it, and so do newer versions of Safari and Firefox. Update this browser, or open this page in another."}
}

// withoutGPU puts into words why the GPU could not be opened.
func withoutGPU(f protocol.Failed) Refusal {
	if f.Reason == protocol.NoAdapter {
		return Refusal{"No graphics card to draw with", "This browser has WebGPU, but found no graphics card that it may use. Switch on graphics acceleration in the browser's settings, under System, update the graphics driver, and start the browser again. chrome://gpu says what is switched off, and why."}
	}
	return Refusal{"The graphics card could not be opened", "Close other pages that draw with it, then try again. If that does not help, update its driver or the browser. The browser says: " + strings.TrimPrefix(f.Message, "gpu: ")}
}

// withoutEngine says that the engine's program did not start.
func withoutEngine(why string, online bool) Refusal {
	text := "It could not be loaded: " + why + ". "
	if online {
		text += "Try again, or reload the page."
	} else {
		text += "There is no network, and the browser did not keep this page for use without one."
	}
	return Refusal{"The engine could not start", text}
}
