"""What the parts share. The loop: a time budget, a learning rate over it, an average of the weights, a state on disk."""
import time

import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
# A processor with matrix units gains by bfloat16. One that imitates it takes eight times as long as in float32, and one that
# has AVX-512's products of pairs and no more 1.9 times as long (the UNet's forward and backward).
BFLOAT16 = DEVICE == "cuda" or torch.cpu._is_amx_tile_supported()


def autocast():
    return torch.autocast(DEVICE, torch.bfloat16, enabled=BFLOAT16)


def token_ids(tokenizer, prompts):
    """[B, T], as diffusers gives them to the text encoder: padded to its length, cut where they are longer."""
    return tokenizer(prompts, padding="max_length", truncation=True, max_length=tokenizer.model_max_length, return_tensors="pt").input_ids


class Run:
    """Iterating gives step numbers until the minutes are spent, counted over all the runs that the state has seen."""

    def __init__(self, model, state, minutes, rate, weight_decay, warm_up, flat, ema=None, betas=(.9, .99), save_every=3):
        self.model, self.path, self.seconds = model, state, 60 * minutes
        self.rate, self.warm_up, self.flat, self.ema, self.save_every = rate, warm_up, flat, ema, 60 * save_every
        self.optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=weight_decay, betas=betas)
        self.step, self.elapsed, self.mean = 0, 0.0, None
        self.average = {k: v.clone() for k, v in model.state_dict().items()}
        if state.exists():
            s = torch.load(state, map_location=DEVICE, weights_only=True)
            model.load_state_dict(s["model"]), self.optimizer.load_state_dict(s["optimizer"])
            self.average, self.step, self.elapsed = s["average"], s["step"], s["elapsed"]
            print(f"{state.name}: goes on from step {self.step}", flush=True)

    def __iter__(self):
        start, saved = time.time() - self.elapsed, self.elapsed
        while self.elapsed < self.seconds:
            done = self.elapsed / self.seconds  # the rate is flat for a share of the run, then falls in a line
            fall = 1 if done < self.flat else max(.03, (1 - done) / (1 - self.flat))
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate * min(1, (self.step + 1) / self.warm_up) * fall
            yield self.step
            self.step, self.elapsed = self.step + 1, time.time() - start
            if self.step % 50 == 0:
                print(f"step {self.step}, {self.elapsed / 60:.1f} min, loss {self.mean:.4f}", flush=True)
            if self.elapsed - saved > self.save_every:
                self.save()
                saved = self.elapsed
        self.save()

    def learn(self, loss):
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        # The loss stays on its device: a GPU need not be waited for at every step.
        self.mean = loss.detach() if self.mean is None else torch.lerp(self.mean, loss.detach(), .02)
        decay = min(self.ema, (self.step + 1) / (self.step + 10)) if self.ema else 0
        now = self.model.state_dict()
        floating = [k for k, v in now.items() if v.is_floating_point()]
        with torch.no_grad():
            torch._foreach_lerp_([self.average[k] for k in floating], [now[k] for k in floating], 1 - decay)
            for k in now.keys() - set(floating):
                self.average[k].copy_(now[k])

    def save(self):
        part = self.path.with_suffix(".part")
        torch.save({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "average": self.average,
                    "step": self.step, "elapsed": self.elapsed}, part)
        part.rename(self.path)

    def take_average(self):
        self.model.load_state_dict(self.average)
