using System.Diagnostics;

namespace Supervisor.Bench;

/// <summary>
/// Two folders of this run, deleted at the end: one in the temporary folder with the compiled yardsticks, and one in memory,
/// like /run, for sockets and other files.
/// </summary>
internal sealed class Workspace : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("listend-bench-").FullName;
    private readonly string _runtime;
    private int _next;

    public Workspace()
    {
        const string memory = "/dev/shm";
        _runtime = Directory.Exists(memory) ? Path.Combine(memory, Path.GetFileName(_folder)) : _folder;
        Directory.CreateDirectory(_runtime);
        var sources = Path.Combine(AppContext.BaseDirectory, "yardsticks");
        foreach (var source in Directory.GetFiles(sources, "*.c"))
        {
            Compile(source, Yardstick(Path.GetFileNameWithoutExtension(source)));
        }
    }

    /// <summary>The folder of the sources.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The daemon under measurement: LISTEND_BIN (the executable or its folder), otherwise artifacts/publish/listend.</summary>
    public static string Listend { get; } = Published("LISTEND_BIN", "artifacts/publish", "listend");

    /// <summary>The client in the same folder.</summary>
    public static string Listenctl { get; } = Path.Combine(Path.GetDirectoryName(Listend)!, "listenctl");

    /// <summary>The executable of the in-process measurements.</summary>
    public static string Probe { get; } = Published("LISTEND_PROBE", "artifacts/bench", "listend-probe");

    /// <summary>The executable of yardsticks/NAME.c.</summary>
    public string Yardstick(string name) => Path.Combine(_folder, name);

    /// <summary>An unused path.</summary>
    public string Fresh(string name) => Path.Combine(_runtime, $"{_next++}-{name}");

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        if (_runtime != _folder)
        {
            Directory.Delete(_runtime, recursive: true);
        }
    }

    private static void Compile(string source, string program)
    {
        // The launcher has no libc, like listend's.
        string[] alone = Path.GetFileName(program) == "launcher"
            ? ["-nostdlib", "-ffreestanding", "-fno-stack-protector", "-fno-pie", "-no-pie", "-fno-tree-loop-distribute-patterns"]
            : [];
        using var compiler = Process.Start("cc", ["-std=gnu11", "-O2", "-static", .. alone, "-o", program, source]);
        compiler.WaitForExit();
        if (compiler.ExitCode != 0)
        {
            throw new InvalidOperationException($"cc could not compile {source}");
        }
    }

    private static string Published(string variable, string folder, string name)
    {
        var place = Environment.GetEnvironmentVariable(variable) is { Length: > 0 } given ? given : Path.Combine(Root, folder);
        var program = Path.GetFullPath(Directory.Exists(place) ? Path.Combine(place, name) : place);
        return File.Exists(program) ? program : throw new FileNotFoundException($"{program} does not exist: run make bench");
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Supervisor.sln")))
            {
                return folder.FullName;
            }
        }

        return Directory.GetCurrentDirectory();
    }
}
