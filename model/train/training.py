"""What the parts share: the device, and the loop with its time budget, its learning rate, an average of the weights, a state on disk."""
import copy
import functools
import os
import time

import torch

DEVICE = os.environ.get("DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
GPU = DEVICE.startswith("cuda")
# A processor with matrix units gains by bfloat16. One that imitates it takes eight times as long as in float32, and one that
# has AVX-512's products of pairs and no more 1.9 times as long (the UNet's forward and backward).
BFLOAT16 = GPU or torch.cpu._is_amx_tile_supported()
if GPU:
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True


def autocast():
    return torch.autocast("cuda" if GPU else "cpu", torch.bfloat16, enabled=BFLOAT16)


@functools.cache
def on_device(values):
    """A tuple's numbers as a tensor of DEVICE, copied once, when they are first needed: importing a file does not start the GPU."""
    return torch.tensor(values, device=DEVICE)


def token_ids(tokenizer, prompts):
    """[B, T], as diffusers gives them to the text encoder: padded to its length, cut where they are longer."""
    return tokenizer(prompts, padding="max_length", truncation=True, max_length=tokenizer.model_max_length, return_tensors="pt").input_ids


def optimizer_of(parameters, rate, faster=(), **options):
    """AdamW whose learning rate is a tensor, so that a captured graph reads its present value. Those in faster are a group that has five times the rate."""
    fast = {id(p) for p in faster}
    groups = [[p for p in parameters if p.requires_grad and (id(p) in fast) == quick] for quick in (False, True)]
    groups = [{"params": g, "lr": torch.tensor(rate, device=DEVICE), "times": times} for g, times in zip(groups, (1, 5)) if g]
    return torch.optim.AdamW(groups, fused=True, capturable=GPU, **options)


def captured(step):
    """Records step as a CUDA graph, so that one launch replaces that of every kernel. Returns step itself on a CPU, with GRAPHS=0, or where it cannot be captured."""
    if not GPU or os.environ.get("GRAPHS") == "0":
        return step
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph):
            step()
    except Exception as why:
        print(f"not captured: {type(why).__name__}: {str(why)[:300]}", flush=True)
        torch.cuda.synchronize()
        return step
    return graph.replay


class Run:
    """Trains a model on a loss until the minutes are spent, counted over all the runs that the state has seen."""

    def __init__(self, model, state, minutes, rate, weight_decay, warm_up, flat, ema=None, faster=(), betas=(.9, .99), save_every=.5 if GPU else 3):
        self.model, self.path, self.seconds = model, state, 60 * minutes
        self.rate, self.warm_up, self.flat, self.save_every = rate, warm_up, flat, 60 * save_every
        # On a GPU a copy in bfloat16 runs, with its norms. Autocast would leave the norms in float32, at twice the memory traffic.
        self.working = copy.deepcopy(model).bfloat16() if GPU else model
        self.optimizer = optimizer_of(list(model.parameters()), rate, faster, weight_decay=weight_decay, betas=betas)
        self.step, self.elapsed = 0, 0.0
        self.mean, self.done = torch.zeros((), device=DEVICE), torch.zeros((), device=DEVICE)  # the loss; the share of the run that is over
        self.average = {k: v.clone() for k, v in model.state_dict().items()}
        if state.exists():
            s = torch.load(state, map_location=DEVICE, weights_only=True)
            model.load_state_dict(s["model"]), self.optimizer.load_state_dict(s["optimizer"])
            self.average, self.step, self.elapsed = s["average"], s["step"], s["elapsed"]
            print(f"{state.name}: goes on from step {self.step}", flush=True)
        now = model.state_dict()
        floating = [k for k, v in now.items() if v.is_floating_point()]
        self.means, self.weights = [self.average[k] for k in floating], [now[k] for k in floating]
        self.ema, self.share = ema, torch.ones((), device=DEVICE)  # of the weights in the next average

    def train(self, loss_of):
        """loss_of() draws a batch and returns its loss. On a GPU it must not wait for results, or it cannot be captured."""
        before, fresh = [w.clone() for w in self.weights], not self.step
        learn = captured(lambda: self._learn(loss_of))
        if fresh:
            self._restart(before)
        start, begun, saved, first, told = time.time() - self.elapsed, time.time(), self.elapsed, self.step, self.step
        while self.elapsed < self.seconds:
            done = self.elapsed / self.seconds  # the rate is flat for a share of the run, then falls linearly
            fall = 1 if done < self.flat else max(.01, (1 - done) / (1 - self.flat))
            for group in self.optimizer.param_groups:
                group["lr"].fill_(group.get("times", 1) * self.rate * min(1, (self.step + 1) / self.warm_up) * fall)
            self.done.fill_(done)
            self.share.fill_(1 - min(self.ema, (self.step + 1) / (self.step + 10)) if self.ema else 1)
            learn()
            self.step += 1
            if GPU and self.step % 4 == 0:
                torch.cuda.synchronize()  # kernels are launched ahead: the clock must count what has been done
            self.elapsed = time.time() - start
            if self.step - told >= (50 if self.step < 500 else 500):
                told = self.step
                print(f"step {self.step}, {self.elapsed / 60:.2f} min, {(self.step - first) / (time.time() - begun):.2f} steps/s, loss {self.mean.item():.4f}", flush=True)
            if self.elapsed - saved > self.save_every:
                self.save()
                saved = self.elapsed
        print(f"ends: {self.step} steps in {self.elapsed:.1f} s, loss {self.mean.item():.4f}", flush=True)
        self.save()

    def _restart(self, weights):
        """Undoes the steps that capturing took. In place, because the graph holds the addresses."""
        torch._foreach_copy_(self.weights, weights), torch._foreach_copy_(self.means, weights)
        self.mean.zero_()
        for state in self.optimizer.state.values():
            for value in state.values():
                value.zero_()

    def _learn(self, loss_of):
        mine, run = list(self.model.parameters()), list(self.working.parameters())
        if self.working is not self.model:
            with torch.no_grad():
                torch._foreach_copy_(run, mine)
        self.working.zero_grad()
        loss = loss_of()
        loss.backward()
        if self.working is not self.model:
            for m, r in zip(mine, run):
                m.grad = None if r.grad is None else r.grad.float()
        torch.nn.utils.clip_grad_norm_(mine, 1.0, foreach=True)
        self.optimizer.step()
        with torch.no_grad():
            self.mean.lerp_(loss.detach().float(), .02)
            moved = torch._foreach_sub(self.weights, self.means)
            torch._foreach_mul_(moved, self.share)
            torch._foreach_add_(self.means, moved)

    def save(self):
        part = self.path.with_suffix(".part")
        torch.save({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "average": self.average,
                    "step": self.step, "elapsed": self.elapsed}, part)
        part.rename(self.path)

    def take_average(self):
        self.model.load_state_dict(self.average)
