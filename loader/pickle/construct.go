package pickle

import "strings"

// construct runs the opcodes for names, calls and objects. Only what makes dictionaries and
// tensors has an effect.
func (m *machine) construct(op byte) error {
	switch op {
	case opGlobal, opInst:
		module, err := m.readLine()
		if err != nil {
			return err
		}
		name, err := m.readLine()
		if err != nil {
			return err
		}
		return m.named(op, module, name)
	case opStackGlobal:
		pair, err := m.popN(2)
		if err != nil {
			return err
		}
		module, ok1 := pair[0].(string)
		name, ok2 := pair[1].(string)
		// In other protocols each of them is a line, and names.go and the errors rely on that.
		if !ok1 || !ok2 || max(len(module), len(name)) > maxLine || strings.Contains(module+name, "\n") {
			return errDamaged
		}
		return m.named(op, module, name)
	case opObj:
		items, err := m.popMark()
		if err != nil || len(items) == 0 {
			return errDamaged
		}
		return m.call(items[0], copied(items[1:]))
	case opReduce, opNewObj, opNewObjEx:
		n := 2
		if op == opNewObjEx {
			n = 3 // the third value has arguments by name, which nothing here takes
		}
		values, err := m.popN(n)
		if err != nil {
			return err
		}
		args, ok := values[1].(tuple)
		if !ok {
			return errDamaged
		}
		return m.call(values[0], args)
	case opBuild:
		state, err := m.pop()
		if err != nil {
			return err
		}
		v, err := m.top()
		if o, ok := v.(*object); ok {
			o.state = state
		}
		return err
	case opPersID:
		if _, err := m.readLine(); err != nil {
			return err
		}
		return errNoTorch
	}
	id, err := m.pop()
	if err != nil {
		return err
	}
	args, ok := id.(tuple)
	if !ok {
		return errNoTorch
	}
	return m.persistent(args)
}

func (m *machine) named(op byte, module, name string) error {
	v, err := find(module, name)
	if err != nil {
		return err
	}
	if op == opInst {
		args, err := m.popMark()
		if err != nil {
			return err
		}
		return m.call(v, copied(args))
	}
	m.push(v)
	return nil
}

// call pushes what a function or a class makes from arguments. It can only be one that find
// knows.
func (m *machine) call(function any, args tuple) error {
	v, err := m.made(function, args)
	if err == nil {
		m.push(v)
	}
	return err
}

// made is the value that call pushes.
func (m *machine) made(function any, args tuple) (any, error) {
	g, ok := function.(global)
	if !ok {
		return nil, errDamaged
	}
	first := func() any {
		if len(args) == 0 {
			return nil
		}
		return args[0]
	}
	switch g.String() {
	case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3":
		return rebuildTensor(args)
	case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer":
		return first(), nil
	case "torch._tensor._rebuild_from_type_v2": // (function, type, arguments, state)
		if len(args) < 3 {
			return nil, errDamaged
		}
		inner, ok := args[2].(tuple)
		if f, known := args[0].(global); !ok || !known || f == g {
			return nil, errDamaged
		}
		return m.made(args[0], inner)
	case "collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.dict", "__builtin__.dict",
		"pytorch_lightning.utilities.parsing.AttributeDict", "lightning_fabric.utilities.data.AttributeDict", "lightning.fabric.utilities.data.AttributeDict":
		return m.madeDict(args)
	case "torch.Size", "builtins.tuple", "__builtin__.tuple":
		switch v := first().(type) {
		case tuple:
			return v, nil
		case *list:
			if err := m.charge(len(v.items)); err != nil {
				return nil, err
			}
			return copied(v.items), nil
		}
		return tuple{}, nil
	case "builtins.list", "__builtin__.list":
		if v, ok := first().(*list); ok {
			return &list{v.items[:len(v.items):len(v.items)]}, nil
		}
		return &list{}, nil
	case "copy_reg._reconstructor", "copyreg._reconstructor": // (class, base, state)
		class, ok := first().(global)
		if !ok {
			return nil, errDamaged
		}
		return &object{class: class}, nil
	}
	return &object{class: g}, nil
}

// madeDict makes a dictionary from nothing, from another, or from a list of pairs. The first
// argument of a defaultdict is a type.
func (m *machine) madeDict(args tuple) (any, error) {
	d := &dict{}
	if err := m.charge(len(args)); err != nil {
		return nil, err
	}
	for _, a := range args {
		switch v := a.(type) {
		case *dict:
			if err := m.charge(len(v.keys)); err != nil {
				return nil, err
			}
			for i, k := range v.keys {
				d.set(k, v.values[i])
			}
		case *list:
			if err := m.charge(len(v.items)); err != nil {
				return nil, err
			}
			for _, item := range v.items {
				pair, _ := sequence(item)
				if len(pair) != 2 {
					return nil, errDamaged
				}
				d.set(pair[0], pair[1])
			}
		}
	}
	return d, nil
}

// persistent pushes what a persistent id stands for. torch has
//
//	("storage", type, key, location, number of elements)
//	("storage", type, key, location, number of elements, view), before version 1.6
//	("module", class, file, source), before version 1.6
//
// where view is None, or (key, offset, number of elements) of a part of the storage.
func (m *machine) persistent(id tuple) error {
	if len(id) < 2 {
		return errNoTorch
	}
	kind, _ := id[0].(string)
	if kind == "module" {
		m.push(id[1])
		return nil
	}
	if kind != "storage" || len(id) < 5 {
		return errNoTorch
	}
	class, ok1 := id[1].(global)
	key, ok2 := id[2].(string)
	count, ok3 := id[4].(int64)
	dtype := storageTypes[class.name]
	if !ok1 || !ok2 || !ok3 || dtype == "" || count < 0 || count > maxCount {
		return errDamaged
	}
	s := m.storages[key]
	if s == nil {
		s = &storage{key: key, dtype: dtype, count: count}
		m.storages[key] = s
	}
	if s.dtype != dtype || s.count != count {
		s = &storage{key: key, dtype: dtype, count: count}
	}
	if len(id) > 5 && id[5] != nil {
		view, ok := id[5].(tuple)
		if !ok || len(view) != 3 {
			return errDamaged
		}
		from, ok1 := view[1].(int64)
		n, ok2 := view[2].(int64)
		if !ok1 || !ok2 || from < 0 || n < 0 || from > count || n > count-from {
			return errDamaged
		}
		s = &storage{key: key, dtype: dtype, from: from, count: n}
	}
	m.push(s)
	return nil
}
