// The compilers of GPU families that run without such a GPU, by Mesa's Vulkan drivers. README.md
// says where they come from. Each family says which environment selects it, and how its machine
// code is counted.
import fs from "node:fs";
import path from "node:path";
import { amd, intel, nvidia } from "./loops.mjs";

// installed is a driver of Debian's package mesa-vulkan-drivers, in the system or in a folder
// into which the packages of another release are unpacked.
const installed = (name, root = "") => [`${name}.json`, `${name}.x86_64.json`].map((n) => `${root}/usr/share/vulkan/icd.d/${n}`).find((p) => fs.existsSync(p));
// shim is a library that stands in for a GPU's kernel driver, built from Mesa's source.
const shim = (file) => path.join(process.env.MESA_BUILD ?? "", "src", file);
const debian13 = process.env.DEBIAN_13 ?? "";
const libraries = `${debian13}/usr/lib/x86_64-linux-gnu`;

const radv = (chip) => ({ VK_DRIVER_FILES: installed("radeon_icd"), RADV_FORCE_FAMILY: chip, RADV_DEBUG: "shaders,nocache" });
const anv = (platform) => ({ VK_DRIVER_FILES: installed("intel_icd"), LD_PRELOAD: shim("intel/tools/libintel_noop_drm_shim.so"), INTEL_STUB_GPU_PLATFORM: platform, INTEL_DEBUG: "cs" });

export const lavapipe = installed("lvp_icd");
export const FAMILIES = {
  rdna3: { title: "RDNA3 (Navi 31)", env: radv("NAVI31"), count: amd },
  rdna2: { title: "RDNA2 (Navi 21)", env: radv("NAVI21"), count: amd },
  tgl: { title: "Intel Xe (Tiger Lake)", env: anv("tgl"), count: intel },
  lnl: { title: "Intel Xe2 (Lunar Lake)", env: anv("lnl"), count: intel },
  ga104: {
    title: "NVIDIA (GA104)", count: nvidia,
    env: { VK_DRIVER_FILES: installed("nouveau_icd", debian13), LD_PRELOAD: shim("nouveau/drm-shim/libnouveau_noop_drm_shim.so"), NOUVEAU_CHIPSET: "174", NVK_I_WANT_A_BROKEN_VULKAN_DRIVER: "1", NAK_DEBUG: "print" },
    // The driver runs with the libraries of its own release.
    command: debian13 ? [`${libraries}/ld-linux-x86-64.so.2`, "--library-path", libraries] : [],
  },
};
for (const f of Object.values(FAMILIES)) f.available = Boolean(f.env.VK_DRIVER_FILES) && (!("LD_PRELOAD" in f.env) || fs.existsSync(f.env.LD_PRELOAD));
