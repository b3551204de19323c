import fs from "node:fs";
const root=process.env.IMPROMPT_ROOT;
const on=process.argv[2], L=+process.argv[3]||16, runs=+process.argv[4]||3, f16=process.argv[5]==="f16";
process.argv.length=2;
const {open}=await import(root+`/tests/bench/${on}.mjs`);
const host=await open(root+"/.build/bench.wasm",{ort:"jsep"});
const r=await host.compare("own",{folder:"shipped",f16,runs,L});
console.log(r.adapter,"L",L,"f16",f16,"ready",r.ready.toFixed(1),"s; compile",r.made.compileSeconds,"; steps",r.times.map(t=>t.toFixed(2)).join(" "),"dispatches",r.made.dispatches,"GFLOP",r.made.flop/1e9);
const by=new Map();for(const k of r.kernels){const s=by.get(k.kernel)??{ms:0,flop:0,n:0};s.ms+=k.ms;s.flop+=k.flop;s.n++;by.set(k.kernel,s)}
for(const [n,k] of [...by].sort((a,b)=>b[1].ms-a[1].ms))console.log(n.padEnd(20),k.ms.toFixed(0).padStart(7),"ms",String(k.n).padStart(4),(k.flop/1e6/k.ms).toFixed(2));
for(const k of [...r.kernels].sort((a,b)=>b.ms-a.ms).slice(0,14))console.log("  ",k.ms.toFixed(1),k.kernel,k.label,(k.flop/1e6/k.ms).toFixed(2));
await host.close();
(globalThis.impromptBench?impromptBench.exit(0):process.exit(0));
