package state

import "github.com/imprompt/imprompt/app/texts"

// The errors and notes of the engine, the loader and the GPU that a visitor can meet, as they are in the source, with %s for
// every verb. The page gets them in English and translates them by these patterns; a test finds each in the source.
var _ = []texts.Pattern{
	"this is a LoRA for a larger model (Stable Diffusion XL, 3 or Flux), as its tensor %s shows: choose a LoRA for Stable Diffusion 1.5",
	"this file is neither a Stable Diffusion 1.5 model, nor an IP-Adapter, a LoRA, an embedding, a VAE, a ControlNet or a T2I-Adapter: its tensors have names like %s",
	"the file is cut off: its header takes %s bytes and the file has %s",
	"the tensors end at byte %s and the file at %s: the file is cut off or damaged",
	"%s cannot be reached: either the network is down, or the server does not allow web pages to read its files (CORS). Try again, or %s",
	"download %s in your browser, and use the file",
	"%s sends nothing any more: go on later. What is stored stays",
	"there is no %s at %s (it answered %s): check the link: %s",
	"%s does not send %s (it answered %s): there may be no such model, or you may have to sign in there and accept the model's licence: %s",
	"%s answered %s for %s: check the link",
	"the connection broke off at byte %s of %s of %s: go on when the network is back. What is stored stays",
	"The connection broke off: the next attempt is in %s",
	"The server cannot be reached: the next attempt is in %s",
	"The server asks to wait: it goes on in %s",
	"%s needs %s and the browser has %s left for this page: %s",
	"%s is not a link: it should begin with https://, or be a name such as owner/model",
	"%s is a web page, not weights: use the link of the file itself (on a hub it has /resolve/, not /blob/)",
	"%s is not read: Imprompt reads .safetensors, and the files of torch (.ckpt, .pt, .pth, .bin). Get the model in one of these forms",
	"%s cannot be read (%s): was it moved or changed since it was chosen? Choose it again",
	"%s is damaged on this disk",
	"the browser has lost a part of %s",
	"the GPU has too little memory for this, even in the low-memory mode: choose a smaller picture, such as 384 × 384, or a smaller model, or close other pages and programs that use the GPU (%s)",
	"gpu: out of memory for the %s, with %s MiB in use",
	"The GPU's memory ran out at %s MiB. The picture is drawn in the low-memory mode, which is slower. A smaller picture needs less memory.",
	"The kernel %s=%s is not used on this GPU: %s.",
	"its numbers differ by %s from the first variant's",
	"%s: %s",
	"model %s: %s",
}

// Those of them into which nothing is filled.
var _ = []texts.Text{
	"this is a Flux model, a different network from Stable Diffusion 1.5: choose a model of the 1.5 family",
	"this is a Stable Diffusion 3 model, a different network from Stable Diffusion 1.5: choose a model of the 1.5 family",
	"this is a Stable Diffusion XL model, a different network from Stable Diffusion 1.5: choose a model of the 1.5 family",
	"this is a Stable Diffusion 2 model, whose text encoder is OpenCLIP's: choose a model of the 1.5 family",
	"this is a LoRA for Stable Diffusion 2: choose one for Stable Diffusion 1.5",
	"this is a ControlNet for Stable Diffusion 2: choose one whose name has sd15",
	"this is a LoRA for Stable Diffusion XL: choose one for Stable Diffusion 1.5",
	"this is a ControlNet for Stable Diffusion XL: choose one whose name has sd15",
	"this is an IP-Adapter for Stable Diffusion XL: choose one whose name ends in sd15",
	"this is neither a safetensors file nor one that torch wrote: get the model as .safetensors, .ckpt, .pt, .pth or .bin",
	"the browser's space for this page is used up: delete a model here, or free space on the disk, and continue. What is stored stays",
	"another tab of this page is downloading it: pause it there first",
	"the file changed at its source during the download",
	"this is not a link: it should begin with https://",
	"paste a link to a model's page or to a file of weights",
}
