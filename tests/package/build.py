"""Builds the Debian package from the metadata in Cargo.toml, as `cargo deb --no-build` does, with dpkg-deb alone."""

import glob
import gzip
import os
import shutil
import subprocess
import tempfile
import tomllib


def build(program, version, into):
    """Puts `program` and all that belongs to it into a package of this version; gives its path."""
    with open("Cargo.toml", "rb") as file:
        package = tomllib.load(file)["package"]
    deb = package["metadata"]["deb"]
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)
        for source, target, mode in deb["assets"]:
            binary = source == "target/release/hearken"
            sources = [program] if binary else sorted(glob.glob(source))
            assert sources, f"{source} is nowhere"
            for source in sources:
                place = os.path.join(root, target, os.path.basename(source) if target.endswith("/") else "")
                place = place.rstrip("/")
                os.makedirs(os.path.dirname(place), exist_ok=True)
                if binary:
                    subprocess.run(["strip", "-o", place, source], check=True)
                else:
                    shutil.copyfile(source, place)
                os.chmod(place, int(mode, 8))
        doc = f"{root}/usr/share/doc/hearken"
        shutil.copyfile(deb["license-file"][0], f"{doc}/copyright")
        with open(deb["changelog"], "rb") as text, gzip.GzipFile(f"{doc}/changelog.Debian.gz", "wb", mtime=0) as packed:
            packed.write(text.read())
        control = f"{root}/DEBIAN"
        os.mkdir(control)
        for script in ["postinst", "prerm", "postrm"]:
            shutil.copy(f"{deb['maintainer-scripts']}{script}", control)
        with open(f"{control}/conffiles", "w") as file:
            file.writelines(f"{path}\n" for path in deb["conf-files"])
        machine = subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True)
        with open(f"{control}/control", "w") as file:
            fields = {
                "Package": package["name"],
                "Version": version,
                "Architecture": machine.stdout.strip(),
                "Maintainer": deb["maintainer"],
                "Section": deb["section"],
                "Priority": deb["priority"],
                "Depends": deb["depends"],
                "Description": f"{package['description']}\n" + indented(deb["extended-description"]),
            }
            file.writelines(f"{key}: {value}\n" for key, value in fields.items())
        subprocess.run(["chmod", "-R", "g-w,o-w,u+w", root], check=True)
        path = f"{into}/hearken_{version}.deb"
        quick = ["-Zgzip", "-z1", "--root-owner-group"]
        subprocess.run(["dpkg-deb", *quick, "--build", root, path], check=True, stdout=subprocess.DEVNULL)
        return path


def indented(text):
    return "\n".join(f" {line}" if line else " ." for line in text.strip().splitlines())
