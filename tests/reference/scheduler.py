"""Trajectories of diffusers' schedulers around a toy model, for model/scheduler.

    python tests/reference/scheduler.py      writes tests/fixtures/scheduler/trajectories.json and fast.json

The toy model's output is 0.7 sin(1.3 x + t / 700), where x is the scaled input. The initial
noise and the steps' noise come from one torch.Generator, as in the pipelines. The schedulers
are made as a user makes them: the model's own goes through a pipeline's constructor, and any
other class is made with from_config(pipe.scheduler.config).

For every step a case stores its timestep, four values of its sample and, for image to image,
four values of the init latents with the noise of the next step (inpainting). After the steps
it stores the generator's next number, which shows how many were drawn. A case whose result is
not finite in diffusers is stored with "finite" false.

fast.json has the schedulers that were added later. Each of its cases stores how far its
samples are from those of the class or the argument that a person might mistake for it
(OTHER), as a fraction of the largest value. A case where that is too little to see is left out.
"""
import base64
import inspect
import json
import logging
import pathlib
import tempfile
import warnings

import diffusers
import numpy as np
import torch

from scheduler_names import ARGUMENTS, CLASSES, ETA, FIRST

OUT = pathlib.Path(__file__).parent.parent / "fixtures/scheduler"
TOLERANCE = 5e-6  # the test's
SHAPE = (1, 4, 2, 2)
SD15 = dict(_class_name="PNDMScheduler", beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000,
            set_alpha_to_one=False, skip_prk_steps=True, steps_offset=1, trained_betas=None, clip_sample=False)
# The model that ships has only DDIM's fields, so PNDM begins with Runge-Kutta steps.
SHIPPED = dict(_class_name="DDIMScheduler", beta_end=0.012, beta_schedule="scaled_linear", beta_start=0.00085, clip_sample=False, clip_sample_range=1.0,
               dynamic_thresholding_ratio=0.995, num_train_timesteps=1000, prediction_type="epsilon", rescale_betas_zero_snr=False,
               sample_max_value=1.0, set_alpha_to_one=False, steps_offset=1, thresholding=False, timestep_spacing="leading", trained_betas=None)
FULL = [(1, 1), (2, 1), (4, 1), (5, 1), (10, 1), (20, 1), (50, 1), (10, 0.55), (7, 0.8)]
SHORT = [(1, 1), (5, 1), (16, 1), (10, 0.55)]


def without(config, *names):
    return {k: v for k, v in config.items() if k not in names}


def saved(name, **fields):
    """A configuration as save_pretrained writes it, with every field."""
    with tempfile.TemporaryDirectory() as d:
        getattr(diffusers, name)(**without(SD15, "_class_name", "set_alpha_to_one", "skip_prk_steps", "clip_sample"), **fields).save_pretrained(d)
        return json.loads(pathlib.Path(d, "scheduler_config.json").read_text())


def own(name, **fields):
    return dict(SD15, _class_name=CLASSES[name], **fields)


def groups():
    """Name, configuration, schedulers, steps and strengths."""
    all_names = list(FIRST)
    yield "sd15", SD15, all_names, FULL
    yield "shipped", SHIPPED, all_names, FULL
    yield "sd21", dict(SHIPPED, prediction_type="v_prediction"), all_names, SHORT
    yield "trailing_v", dict(SD15, timestep_spacing="trailing", prediction_type="v_prediction"), all_names, SHORT + [(48, 1)]
    yield "linspace", dict(SD15, timestep_spacing="linspace"), all_names, SHORT
    yield "zero_snr", own("ddim", timestep_spacing="trailing", prediction_type="v_prediction", rescale_betas_zero_snr=True), all_names, SHORT
    yield "zero_snr_epsilon", own("ddim", timestep_spacing="trailing", rescale_betas_zero_snr=True), ["ddim", "euler", "unipc"], SHORT
    yield "bare", dict(_class_name="PNDMScheduler", skip_prk_steps=True), all_names, SHORT
    yield "bare_ddim", dict(_class_name="DDIMScheduler"), all_names, SHORT
    yield "clipped", dict(without(SD15, "clip_sample"), steps_offset=0, clip_sample_range=0.8), ["ddim", "lcm", "euler"], SHORT
    yield "clip_ignored", own("ddim") | dict(clip_sample=True), ["ddim", "lcm"], SHORT
    yield "cosine", dict(SD15, beta_schedule="squaredcos_cap_v2"), all_names, [(2, 1), (10, 0.55)]
    yield "trained", dict(SD15, num_train_timesteps=60, trained_betas=[0.002 * (i + 1) for i in range(60)]), all_names, SHORT
    yield "sample", own("ddim", prediction_type="sample"), ["ddim", "dpmpp_2m", "euler", "unipc", "lcm"], SHORT
    for name in ("DPMSolverMultistepScheduler", "DEISMultistepScheduler", "HeunDiscreteScheduler"):
        yield f"saved_{name}", saved(name), all_names, [(5, 1)]
    for algorithm in ("dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver"):
        last = "zero" if algorithm.endswith("++") else "sigma_min"
        for solver in ("midpoint", "heun"):
            for order in (1, 2, 3):
                # Order 1 has only one type of solver, and diffusers has no sde-dpmsolver of order 3.
                if (order > 1 or solver == "heun") and (algorithm, order) != ("sde-dpmsolver", 3):
                    yield (f"{algorithm}_{solver}_{order}", own("dpmpp_2m", algorithm_type=algorithm, solver_type=solver, solver_order=order, final_sigmas_type=last),
                           ["dpmpp_2m"], SHORT)
    v = dict(algorithm_type="dpmsolver", final_sigmas_type="sigma_min")
    for name, fields in dict(euler_at_final=dict(euler_at_final=True, final_sigmas_type="sigma_min"), all_orders=dict(lower_order_final=False, final_sigmas_type="sigma_min"),
                             lu=dict(use_lu_lambdas=True), exponential=dict(use_exponential_sigmas=True), karras=dict(use_karras_sigmas=True), v=v | dict(prediction_type="v_prediction"),
                             x0=v | dict(prediction_type="sample"), bounds=dict(use_karras_sigmas=True, sigma_min=0.1, sigma_max=10.0)).items():
        yield f"dpm_{name}", own("dpmpp_2m", **fields), ["dpmpp_2m"], SHORT
    yield "dpm_clipped", own("dpmpp_2m") | dict(beta_schedule="squaredcos_cap_v2", lambda_min_clipped=-5.1), ["dpmpp_2m", "dpmpp_2m_karras", "unipc"], [(5, 1), (16, 1)]
    for name, fields in dict(order_1=dict(solver_order=1), order_3=dict(solver_order=3), order_4=dict(solver_order=4), bh1=dict(solver_type="bh1", solver_order=3, final_sigmas_type="sigma_min"),
                             eps=dict(predict_x0=False, final_sigmas_type="sigma_min"), eps_v=dict(predict_x0=False, final_sigmas_type="sigma_min", prediction_type="v_prediction"),
                             partly=dict(disable_corrector=[0, 2]), all_orders=dict(lower_order_final=False, final_sigmas_type="sigma_min", solver_order=3), karras=dict(use_karras_sigmas=True),
                             karras_min=dict(use_karras_sigmas=True, final_sigmas_type="sigma_min"), exponential=dict(use_exponential_sigmas=True), zero=dict(lower_order_final=False)).items():
        yield f"unipc_{name}", own("unipc", **fields), ["unipc"], SHORT
    for name, fields in dict(karras=dict(use_karras_sigmas=True, timestep_spacing="leading"), exponential=dict(use_exponential_sigmas=True), log_linear=dict(interpolation_type="log_linear"),
                             log_karras=dict(interpolation_type="log_linear", use_karras_sigmas=True), bounds=dict(use_karras_sigmas=True, sigma_min=0.1, sigma_max=10.0),
                             continuous=dict(timestep_type="continuous", prediction_type="v_prediction"), sigma_min=dict(final_sigmas_type="sigma_min")).items():
        yield f"euler_{name}", own("euler", **fields), ["euler"], SHORT
    yield "lcm", own("lcm", original_inference_steps=30, timestep_scaling=5.0), ["lcm"], SHORT + [(6, 1)]


# What the samples of a scheduler are compared with: the class and its arguments.
_leading, _sde = dict(timestep_spacing="leading"), dict(algorithm_type="sde-dpmsolver++")
OTHER = dict(ddim_trailing=("DDIMScheduler", _leading), euler_simple=("EulerDiscreteScheduler", _leading), euler_sgm_uniform=("EulerDiscreteScheduler", _leading),
             dpmpp_2m_sde=("DPMSolverMultistepScheduler", dict(algorithm_type="dpmsolver++")), dpmpp_2m_sde_karras=("DPMSolverMultistepScheduler", _sde),
             dpmpp_2m_sde_exponential=("DPMSolverMultistepScheduler", _sde), tcd=("LCMScheduler", {}))


def fast_groups():
    """As groups, for the schedulers that are not in FIRST."""
    names = [n for n in CLASSES if n not in FIRST]
    few = [(1, 1), (2, 1), (4, 1), (8, 1), (25, 1), (10, 0.55), (7, 0.8)]
    yield "sd15", SD15, names, few
    yield "shipped", SHIPPED, names, [(4, 1), (8, 0.6)]
    yield "sd21", dict(SHIPPED, prediction_type="v_prediction"), names, [(4, 1), (10, 0.55)]
    yield "sample", own("ddim", prediction_type="sample"), names, [(5, 1)]
    # Where the first timestep of exponential sigmas is 999 or 998, numpy's float32 logarithms decide, which depend on the processor.
    yield "bare", dict(_class_name="PNDMScheduler", skip_prk_steps=True), [n for n in names if n != "dpmpp_2m_sde_exponential"], [(5, 1)]
    yield "cosine", dict(SD15, beta_schedule="squaredcos_cap_v2"), names, [(5, 1)]
    yield "trained", dict(SD15, num_train_timesteps=60, trained_betas=[0.002 * (i + 1) for i in range(60)]), names, [(5, 1)]
    yield "zero_snr", own("ddim", timestep_spacing="trailing", prediction_type="v_prediction", rescale_betas_zero_snr=True), ["tcd", "ddim_trailing"], [(4, 1)]
    yield "tcd", dict(SD15, _class_name="TCDScheduler", original_inference_steps=30), ["tcd"], few
    yield "order_3", own("dpmpp_2m", solver_order=3, euler_at_final=True), ["dpmpp_2m_sde", "dpmpp_2m_sde_karras"], [(16, 1), (10, 0.55)]


def make(name, config, other=False):
    class_name, extra = OTHER[name] if other else (CLASSES[name], ARGUMENTS[name])
    cls, model_class = getattr(diffusers, class_name), getattr(diffusers, config["_class_name"])
    pipe = diffusers.StableDiffusionPipeline(vae=None, text_encoder=None, tokenizer=None, unet=None, safety_checker=None, feature_extractor=None, requires_safety_checker=False,
                                             scheduler=model_class.from_config(config, **(extra if cls is model_class else {})))
    return pipe.scheduler if cls is model_class else cls.from_config(pipe.scheduler.config, **extra)


def pack(values):
    return base64.b64encode(np.asarray(values, dtype="<f4").tobytes()).decode()


def run(name, config, steps, strength, seed, eta, other=False):
    s = make(name, config, other)
    alphas = s.alphas_cumprod[::37]
    s.set_timesteps(steps)
    g = torch.Generator().manual_seed(seed)
    ts = s.timesteps
    z = noise = None
    if strength < 1:
        first = max(steps - min(int(steps * strength), steps), 0)
        ts = ts[first * s.order:]
        if hasattr(s, "set_begin_index"):
            s.set_begin_index(first * s.order)
        z = torch.randn(SHAPE, generator=g)
        noise = torch.randn(SHAPE, generator=g)
        x = s.add_noise(z, noise, ts[:1])
    else:
        x = torch.randn(SHAPE, generator=g) * s.init_noise_sigma
    parameters = inspect.signature(s.step).parameters
    kwargs = {k: v for k, v in dict(generator=g, eta=eta).items() if k in parameters}
    samples, known = [], []
    for i, t in enumerate(ts):
        xin = s.scale_model_input(x, t)
        x = s.step(0.7 * torch.sin(1.3 * xin + float(t) / 700), t, x, **kwargs).prev_sample
        samples.append(x.flatten()[:4].tolist())
        if z is not None and i + 1 < len(ts):
            known.append(s.add_noise(z, noise, torch.tensor([ts[i + 1]])).flatten()[:4].tolist())
    finite = bool(np.isfinite(samples).all())
    case = dict(name=name, steps=steps, strength=strength, seed=seed, eta=eta, finite=finite)
    if finite:
        case |= dict(timesteps=pack(ts), samples=pack(samples), known=pack(known), next=torch.randn(SHAPE, generator=g).flatten()[0].item(), alphas=pack(alphas))
    return case


def moves(case, other):
    """How far two cases' samples differ, relative to the largest."""
    a, b = (np.frombuffer(base64.b64decode(c["samples"]), "<f4") for c in (case, other))
    return float(np.abs(a - b).max() / max(1, np.abs(a).max()))


def write(file, groups, with_moves):
    cases, configs, seen = [], {}, set()
    for config_name, config, names, runs in groups:
        configs[config_name] = json.dumps(config)
        for name in names:
            for steps, strength in runs:
                for eta in (0, 0.6) if (config_name, name) == ("sd15", "ddim") else (0, 0.3, 1) if with_moves and name in ETA and config_name in ("sd15", "tcd") else (0,):
                    arguments = name, config, steps, strength, 3 + steps, eta
                    try:
                        case = run(*arguments)
                        if with_moves and case["finite"]:
                            case["moves"] = moves(case, run(*arguments, other=True))
                    except (ValueError, NotImplementedError, IndexError, RuntimeError) as e:
                        print("diffusers fails:", config_name, name, steps, strength, str(e)[:100])
                        continue
                    if not case["finite"]:
                        print("not finite:", config_name, name, steps, strength)
                    elif with_moves and not case["moves"] >= 20 * TOLERANCE:
                        print("tests nothing:", config_name, name, steps, strength, case["moves"])
                        continue
                    if (config_name, name) in seen:
                        case.pop("alphas", None)
                    seen.add((config_name, name))
                    cases.append(dict(config=config_name, **case))
    out = OUT / file
    out.write_text(json.dumps(dict(diffusers=diffusers.__version__, torch=torch.__version__, configs=configs, cases=cases), separators=(",", ":")))
    print(file, len(cases), "cases,", out.stat().st_size, "bytes, diffusers", diffusers.__version__)


def main():
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    OUT.mkdir(parents=True, exist_ok=True)
    write("trajectories.json", groups(), False)
    write("fast.json", fast_groups(), True)


if __name__ == "__main__":
    main()
