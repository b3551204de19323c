package pickle

import (
	"fmt"
	"slices"
	"strings"
)

// find returns what a name stands for, and refuses every name that a file of weights does not
// need. Nothing that has a name is ever run.
func find(module, name string) (any, error) {
	g := global{module, name}
	switch {
	case storageTypes[name] != "" && slices.Contains([]string{"torch", "torch.cuda", "torch.storage"}, module):
		return g, nil
	case module == "torch" && dtypes[name] != "":
		return g, nil
	case isKnown(module, name):
		return g, nil
	case isCallback(module, name):
		return g, nil
	case module == "torch._utils" && unread[name] != "":
		return nil, fmt.Errorf("the file has %s (%s), which Imprompt does not read: get the .safetensors of the same model", unread[name], g)
	case strings.HasPrefix(module, "torch.nn.") || module == "torch.jit" || strings.HasPrefix(module, "diffusers.models"):
		return nil, fmt.Errorf("this file is a whole model as a Python object (%s), and not its weights alone. Other programs would run its code when they open it. Imprompt read nothing from it: get the .safetensors of the same model, or save its state_dict()", g)
	}
	return nil, fmt.Errorf("this file would run %s when opened by other programs, which weights do not need. Imprompt read nothing from it: get the .safetensors of the same model from a publisher whom you trust", g)
}

// known are the names besides those of types, by module: what makes dictionaries of tensors, and
// classes of plain data that checkpoints of training programs have. Python 2's modules are among
// them, because files of protocol 2 keep their names. It is a text because a map of maps would make
// the page's program larger by 10 kB.
const known = `
torch._utils: _rebuild_tensor _rebuild_tensor_v2 _rebuild_tensor_v3 _rebuild_parameter _rebuild_parameter_with_state
torch._tensor: _rebuild_from_type_v2
torch: Size device Tensor
torch.nn.parameter: Parameter Buffer
torch.nn.modules.container: ParameterDict ParameterList
collections: OrderedDict defaultdict Counter deque
builtins: set frozenset list tuple dict int long float complex bool str unicode bytes bytearray object slice range
__builtin__: set frozenset list tuple dict int long float complex bool str unicode bytes bytearray object slice range
_codecs: encode
copy_reg: _reconstructor
copyreg: _reconstructor
numpy: dtype ndarray
numpy.core.multiarray: scalar _reconstruct
numpy._core.multiarray: scalar _reconstruct
numpy.core.numeric: _frombuffer
numpy._core.numeric: _frombuffer
argparse: Namespace
pathlib: Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath
datetime: datetime date time timedelta timezone
typing: Any
omegaconf.base: Metadata ContainerMetadata
omegaconf.dictconfig: DictConfig
omegaconf.listconfig: ListConfig
omegaconf.nodes: AnyNode IntegerNode FloatNode StringNode BooleanNode
pytorch_lightning.utilities.parsing: AttributeDict
lightning_fabric.utilities.data: AttributeDict
lightning.fabric.utilities.data: AttributeDict
pytorch_lightning.utilities.enums: _FaultTolerantMode PrecisionType AMPType
pytorch_lightning.trainer.states: TrainerFn TrainerStatus RunningStage
torch.torch_version: TorchVersion
`

// isKnown reports whether a name is in known.
func isKnown(module, name string) bool {
	_, after, ok := strings.Cut(known, "\n"+module+": ")
	names, _, _ := strings.Cut(after, "\n")
	return ok && slices.Contains(strings.Fields(names), name)
}

// isCallback reports whether a name is that of one of Lightning's callbacks. Checkpoints keep the
// states of callbacks under their classes. Python follows dots in a name to whatever the module has
// imported, so there must be none.
func isCallback(module, name string) bool {
	return (strings.HasPrefix(module, "pytorch_lightning.callbacks") || strings.HasPrefix(module, "lightning.pytorch.callbacks")) &&
		name >= "A" && name < "[" && !strings.Contains(name, ".")
}

// unread are the functions of torch._utils that make tensors of kinds that are not read.
var unread = map[string]string{
	"_rebuild_sparse_tensor": "sparse tensors", "_rebuild_sparse_csr_tensor": "sparse tensors", "_rebuild_nested_tensor": "nested tensors",
	"_rebuild_qtensor": "quantised tensors", "_rebuild_meta_tensor_no_storage": "tensors without numbers", "_rebuild_wrapper_subclass": "tensors of a kind of their own",
	"_rebuild_device_tensor_from_numpy": "tensors of another device", "_rebuild_device_tensor_from_cpu_tensor": "tensors of another device",
}

// storageTypes are torch's types of storages, with safetensors' names of their numbers. A
// storage without a type has bytes, and its tensors say what they are.
var storageTypes = map[string]string{
	"FloatStorage": "F32", "DoubleStorage": "F64", "HalfStorage": "F16", "BFloat16Storage": "BF16",
	"LongStorage": "I64", "IntStorage": "I32", "ShortStorage": "I16", "CharStorage": "I8", "ByteStorage": "U8", "BoolStorage": "BOOL",
	"ComplexFloatStorage": "C64", "ComplexDoubleStorage": "C128", "UntypedStorage": "U8",
}

// dtypes are torch's types of numbers, with safetensors' names.
var dtypes = map[string]string{
	"float32": "F32", "float": "F32", "float64": "F64", "double": "F64", "float16": "F16", "half": "F16", "bfloat16": "BF16",
	"int64": "I64", "long": "I64", "int32": "I32", "int": "I32", "int16": "I16", "short": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
	"uint16": "U16", "uint32": "U32", "uint64": "U64", "complex64": "C64", "complex128": "C128",
	"float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2fnuz": "F8_E5M2FNUZ", "float8_e8m0fnu": "F8_E8M0",
}

// widths are the bytes of a number of each type.
var widths = map[string]int64{
	"BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E4M3FNUZ": 1, "F8_E5M2FNUZ": 1, "F8_E8M0": 1,
	"U16": 2, "I16": 2, "F16": 2, "BF16": 2, "U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8, "C64": 8, "C128": 16,
}
