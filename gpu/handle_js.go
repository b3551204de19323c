//go:build js && wasm

package gpu

import (
	"syscall/js"
	"unsafe"

	"github.com/cogentcore/webgpu/wgpu"
)

// cogentcore/webgpu keeps the JavaScript object of each of its types to itself, and
// the replay list needs them. Each type is a struct of that one js.Value, which the
// constants below hold the compiler to.
const (
	_ = uint(unsafe.Sizeof(js.Value{}) - unsafe.Sizeof(wgpu.Buffer{}))
	_ = uint(unsafe.Sizeof(wgpu.Buffer{}) - unsafe.Sizeof(js.Value{}))
)

type wrapper interface {
	wgpu.Buffer | wgpu.BindGroup | wgpu.BindGroupLayout | wgpu.PipelineLayout | wgpu.ShaderModule
}

// object is the JavaScript object that w wraps.
func object[T wrapper](w *T) js.Value { return *(*js.Value)(unsafe.Pointer(w)) }
