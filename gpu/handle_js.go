//go:build js && wasm

package gpu

import (
	"syscall/js"
	"unsafe"

	"github.com/cogentcore/webgpu/wgpu"
)

// The types of cogentcore/webgpu do not export the JavaScript objects that they wrap, which
// the list of dispatches needs. Each type is a struct of that one js.Value. If that changes,
// one of the constants below is negative and does not compile.
const (
	_ = uint(unsafe.Sizeof(js.Value{}) - unsafe.Sizeof(wgpu.Buffer{}))
	_ = uint(unsafe.Sizeof(wgpu.Buffer{}) - unsafe.Sizeof(js.Value{}))
)

type wrapper interface {
	wgpu.Buffer | wgpu.BindGroup | wgpu.BindGroupLayout | wgpu.PipelineLayout | wgpu.ShaderModule
}

// object returns the JavaScript object that w wraps.
func object[T wrapper](w *T) js.Value { return *(*js.Value)(unsafe.Pointer(w)) }
