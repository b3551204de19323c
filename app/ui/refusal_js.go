//go:build js && wasm

package ui

import (
	"regexp"
	"strconv"
	"strings"
	"syscall/js"
)

// refusal is why there is no engine, and what to do.
type refusal struct{ title, text string }

var chromeVersion = regexp.MustCompile(`Chrom(?:e|ium)/(\d+)`)

// missing says what a browser without WebGPU lacks.
func missing() refusal {
	navigator := js.Global().Get("navigator")
	if navigator.Get("gpu").Truthy() {
		return refusal{}
	}
	version := 0
	if m := chromeVersion.FindStringSubmatch(navigator.Get("userAgent").String()); m != nil {
		version, _ = strconv.Atoi(m[1])
	}
	switch {
	case !js.Global().Get("isSecureContext").Bool():
		return refusal{"This address is not a secure one", "Browsers give a page the graphics card only on https, or on this machine's own http://localhost. Open Imprompt at such an address."}
	case version > 0 && version < 113:
		return refusal{"This browser is too old", "Version " + strconv.Itoa(version) + " has no WebGPU, with which Imprompt draws on your own graphics card; from 113 on it does. Update the browser, then open this page again."}
	case version > 0:
		return refusal{"WebGPU is switched off in this browser", "Imprompt draws with it on your own graphics card. Switch on graphics acceleration in the browser's settings, under System. On Linux, chrome://flags/#enable-unsafe-webgpu may be needed as well. Then start the browser again."}
	}
	return refusal{"This browser has no WebGPU", "Imprompt draws with it on your own graphics card. A current Chrome or Edge has it, and so do newer versions of Safari and Firefox. Update this browser, or open this page in another."}
}

// refused puts an error of opening the GPU into words.
func refused(kind, message string) refusal {
	if kind == "adapter" {
		return refusal{"No graphics card to draw with", "This browser has WebGPU, but found no graphics card that it may use. Switch on graphics acceleration in the browser's settings, under System, update the graphics driver, and start the browser again. chrome://gpu says what is switched off, and why."}
	}
	return refusal{"The graphics card could not be opened", "Close other pages that draw with it, then try again. If that does not help, update its driver or the browser. The browser says: " + strings.TrimPrefix(message, "gpu: ")}
}
