using System.Globalization;

namespace Supervisor.Native;

/// <summary>The pages of the program's files (its code and constants, and its libraries') that this process has mapped. Measured by tests/Bench/RestBenchmark.</summary>
public static unsafe class ProgramPages
{
    private const int DontNeed = 4;

    /// <summary>
    /// Takes them out of the process's page table: what only the start or a rare request touched no longer counts as its
    /// memory. They stay in the system's page cache, and a touch brings a page back without reading it (madvise(2),
    /// MADV_DONTNEED of a private file mapping). Only mappings that cannot be written and of which no page differs from
    /// the file are let go: relocated constants would come back as they were before the relocation.
    /// </summary>
    /// <returns>How many bytes of mappings were let go; 0 where /proc cannot be read.</returns>
    public static long Release()
    {
        var clean = new List<(nuint Start, nuint End)>();
        (nuint Start, nuint End)? candidate = null;
        try
        {
            foreach (var line in File.ReadLines("/proc/self/smaps"))
            {
                if (Header(line) is { } mapping)
                {
                    candidate = mapping.IsProgram ? (mapping.Start, mapping.End) : null;
                }
                else if (candidate is not null && line.StartsWith("Private_Dirty:", StringComparison.Ordinal) && !line.EndsWith(" 0 kB", StringComparison.Ordinal))
                {
                    candidate = null;
                }
                else if (candidate is { } mapped && line.StartsWith("Swap:", StringComparison.Ordinal))
                {
                    // The last of the counts that matter here: what is swapped out was dirty.
                    if (line.EndsWith(" 0 kB", StringComparison.Ordinal))
                    {
                        clean.Add(mapped);
                    }

                    candidate = null;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return 0;
        }

        // Last of all: what has read the list is among the pages, and would be there again.
        var released = 0L;
        foreach (var (start, end) in clean)
        {
            if (Syscalls.madvise((void*)start, end - start, DontNeed) == 0)
            {
                released += (long)(end - start);
            }
        }

        return released;
    }

    /// <summary>The first line of a mapping: start-end perms offset device inode path.</summary>
    private static (nuint Start, nuint End, bool IsProgram)? Header(string line)
    {
        var dash = line.IndexOf('-', StringComparison.Ordinal);
        var space = line.IndexOf(' ', StringComparison.Ordinal);
        return dash > 0 && space > dash
            && nuint.TryParse(line.AsSpan(0, dash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var start)
            && nuint.TryParse(line.AsSpan(dash + 1, space - dash - 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var end)
            ? (start, end, line.AsSpan(space + 1) is ['r', '-', _, 'p', ..] && line.Contains('/', StringComparison.Ordinal))
            : null;
    }
}
