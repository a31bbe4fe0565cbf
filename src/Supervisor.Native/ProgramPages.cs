using System.Globalization;

namespace Supervisor.Native;

/// <summary>
/// The mapped pages of the program's and its libraries' files (code and constants). tests/Bench/RestBenchmark measures the effect.
/// </summary>
public static unsafe class ProgramPages
{
    private const int DontNeed = 4;

    /// <summary>
    /// Removes the pages from the process's page table, so pages used only at the start or by a rare request no longer count as
    /// its memory. They stay in the page cache, and an access maps a page again without a read (madvise(2), MADV_DONTNEED of a
    /// private file mapping). Only mappings that are read-only and unmodified are released: relocated constants would lose
    /// their relocation.
    /// </summary>
    /// <returns>How many bytes of mappings were released; 0 if /proc cannot be read.</returns>
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
                else if (candidate is not null
                    && line.StartsWith("Private_Dirty:", StringComparison.Ordinal)
                    && !line.EndsWith(" 0 kB", StringComparison.Ordinal))
                {
                    candidate = null;
                }
                else if (candidate is { } mapped && line.StartsWith("Swap:", StringComparison.Ordinal))
                {
                    // The last of the relevant counters: a page that is swapped out was modified.
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

        // Release at the end, because reading the list uses some of these pages.
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
            && nuint.TryParse(
                line.AsSpan(dash + 1, space - dash - 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var end)
            ? (start, end, line.AsSpan(space + 1) is ['r', '-', _, 'p', ..] && line.Contains('/', StringComparison.Ordinal))
            : null;
    }
}
