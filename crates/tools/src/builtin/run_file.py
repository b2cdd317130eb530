import os, subprocess
file = os.path.join(os.environ["TMPDIR"], START["file"])
with open(file, "w", encoding="utf-8") as out:
    out.write(START["code"])
done = subprocess.run([START["program"], *START["arguments"], file])
if done.returncode != 0:
    raise RuntimeError(f"{START['name']} ended with code {done.returncode}")
