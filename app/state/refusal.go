package state

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/imprompt/imprompt/app/protocol"
	"github.com/imprompt/imprompt/app/texts"
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
		return Refusal{texts.T("This address is not a secure one"), texts.T("Browsers give a page the graphics card only on https, or on this machine's own http://localhost. Open Imprompt at such an address.")}
	case version > 0 && version < 113:
		return Refusal{texts.T("This browser is too old"), texts.F("Version %d has no WebGPU, with which Imprompt draws on your own graphics card; from 113 on it does. Update the browser, then open this page again.", version)}
	case version > 0:
		return Refusal{texts.T("WebGPU is switched off in this browser"), texts.T("Imprompt draws with it on your own graphics card. Switch on graphics acceleration in the browser's settings, under System. On Linux, chrome://flags/#enable-unsafe-webgpu may be needed as well. Then start the browser again.")}
	}
	return Refusal{texts.T("This browser has no WebGPU"), texts.T("Imprompt draws with it on your own graphics card. A current Chrome or Edge has it, and so do newer versions of Safari and Firefox. Update this browser, or open this page in another.")}
}

// withoutGPU puts into words why the GPU could not be opened.
func withoutGPU(f protocol.Failed) Refusal {
	if f.Reason == protocol.NoAdapter {
		return Refusal{texts.T("No graphics card to draw with"), texts.T("This browser has WebGPU, but found no graphics card that it may use. Switch on graphics acceleration in the browser's settings, under System, update the graphics driver, and start the browser again. chrome://gpu says what is switched off, and why.")}
	}
	return Refusal{texts.T("The graphics card could not be opened"), texts.F("Close other pages that draw with it, then try again. If that does not help, update its driver or the browser. The browser says: %s", strings.TrimPrefix(f.Message, "gpu: "))}
}

// withoutEngine says that the engine's program did not start.
func withoutEngine(why string, online bool) Refusal {
	text := texts.F("It could not be loaded: %s.", texts.Translate(why)) + " "
	if online {
		text += texts.T("Try again, or reload the page.")
	} else {
		text += texts.T("There is no network, and the browser did not keep this page for use without one.")
	}
	return Refusal{texts.T("The engine could not start"), text}
}
