using Serilog;
using Supervisor.Core;
using Supervisor.Linux.Paths;
using Supervisor.Native;
using static Supervisor.Native.KernelAbi;

namespace Supervisor.Linux.Output;

/// <summary>
/// <c>log = "file:PATH"</c>: appends the worker's lines without their priority prefix (O_APPEND, mode 0640). Rotation by copy
/// and truncation needs no support. To detect a rotation by rename, a write compares the path's device and inode with the open
/// file's, at most once a second. A long line arrives in pieces and is one line in the file, unless another line comes between. Lines
/// that cannot be written (a full disk) are dropped; one message reports the failure, and one the recovery.
/// </summary>
/// <remarks>
/// <see cref="TrustedFile"/> decides with which rights to open the file, on a separate thread: another user's directory can be
/// arbitrarily slow. While an open blocks, the lines of this service are lost, or go to the file that is open.
/// </remarks>
public sealed class LogFile : IOutputSink
{
    /// <summary>The owner reads and writes, the group reads.</summary>
    public const int Mode = 0x1A0;

    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);

    /// <summary>How long the lines of a service wait for its file to open.</summary>
    private static readonly TimeSpan OpenPatience = TimeSpan.FromSeconds(1);

    private readonly string _path;
    private readonly Func<FileRights?> _worker;
    private readonly string _service;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly MemoryStream _buffer = new();
    private DescriptorHandle? _file;
    private Files.Status _opened;
    private long? _checkedAt;
    private long _lost;
    private FileRefusal? _refused;
    private string? _reported;
    private ForeignCall<Opening>? _opening;
    private bool _isMidLine;

    /// <summary>The process and stream that began the unfinished long line at the end of the file; null if there is none.</summary>
    private (int Pid, bool IsError)? _cut;

    /// <summary>A log file at that path, opened with the first line.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">The daemon's log.</param>
    /// <param name="service">The service's prefix for log messages.</param>
    /// <param name="worker">Returns the rights of the workers' user; null, or a null result: the daemon's own. Called on a
    /// thread that may wait for the user database.</param>
    public LogFile(string path, TimeProvider time, ILogger log, string? service = null, Func<FileRights?>? worker = null)
    {
        _worker = worker ?? (static () => null);
        _service = service is null ? "" : $"service {service}: ";
        _path = path;
        _time = time;
        _log = service is null ? log : log.Service(service);
    }

    /// <inheritdoc/>
    public void Write(IReadOnlyList<OutgoingLine> lines)
    {
        if (Open() is { } refused)
        {
            Lose(lines.Count, refused);
            return;
        }

        _buffer.SetLength(0);
        var wasCut = _cut is not null;
        if (_isMidLine)
        {
            _buffer.WriteByte((byte)'\n');
            _cut = null;
        }

        var ends = new int[lines.Count];
        for (var i = 0; i < lines.Count; i++)
        {
            Add(lines[i]);
            ends[i] = (int)_buffer.Length;
        }

        var data = _buffer.GetBuffer().AsSpan(0, (int)_buffer.Length);
        var done = 0;
        while (done < data.Length)
        {
            var count = Files.Write(_file!, data[done..], out var error);
            if (count <= 0)
            {
                // A partial line stays, and is ended when there is room again.
                _isMidLine = done == 0 ? _isMidLine || wasCut : data[done - 1] != (byte)'\n';
                _cut = null;
                Lose(ends.Count(end => end > done), error ?? new SystemCallError("write", 28));
                return;
            }

            done += count;
        }

        _isMidLine = false;
        if (_lost > 0)
        {
            _log.Kind(MessageIds.LogFileRecovered)
                .Warning("{Whose}log file {Path}: writing works again; {Lines} lines were lost", _service, _path, _lost);
            _lost = 0;
        }
    }

    private void Add(OutgoingLine line)
    {
        var stream = (line.Pid, line.IsError);
        if (_cut is { } cut && !(line.Continues && cut == stream))
        {
            _buffer.WriteByte((byte)'\n');
        }

        _buffer.Write(ByteText.Encode(line.Text));
        _cut = line.IsCut ? stream : null;
        if (!line.IsCut)
        {
            _buffer.WriteByte((byte)'\n');
        }
    }

    /// <inheritdoc/>
    public void Dropped(long lines) => _log.Kind(MessageIds.LogFileOverrun)
        .Warning("{Whose}log file {Path}: dropped {Lines} lines: the file cannot be written fast enough", _service, _path, lines);

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        _buffer.Dispose();
    }

    /// <summary>Makes sure that the open file is the one at the path; checks at most once a second.</summary>
    private FileRefusal? Open()
    {
        if (_checkedAt is { } at && _time.GetElapsedTime(at) < CheckInterval)
        {
            return _file is null ? _refused : null;
        }

        _checkedAt = _time.GetTimestamp();
        Files.Status? known = _file is null ? null : _opened;
        var patience = _opening is null ? OpenPatience : TimeSpan.Zero;
        _opening ??= new ForeignCall<Opening>(
            null, () => OpenAtPath(known), static error => new Opening(null, default, FileRefusal.Of(error)));
        if (!_opening.TryGet(patience, out var opening))
        {
            return Refuse(FileRefusal.Of(new SystemCallError("open", ETIMEDOUT)));
        }

        _opening = null;
        if (opening!.Refusal is { } refusal)
        {
            return Refuse(refusal);
        }

        _refused = null;
        if (opening.File is { } opened)
        {
            _file?.Dispose();
            _file = opened;
            _opened = opening.Status;
            (_isMidLine, _cut) = (false, null);
        }

        _reported = null;
        return null;
    }

    private Opening OpenAtPath(Files.Status? known)
    {
        var file = TrustedFile.OpenToAppend(_path, Mode, _worker(), known, PathTrust.InForce, out var status, out var refusal);
        return new Opening(file, status, refusal);
    }

    /// <summary>Handles a failed open. After a rotation the old file stays in use, which is better than no file.</summary>
    private FileRefusal? Refuse(FileRefusal refusal)
    {
        _refused = refusal;
        if (_file is null)
        {
            return refusal;
        }

        if (_reported != refusal.Reason)
        {
            _reported = refusal.Reason;
            _log.Kind(MessageIds.LogFileNotReopened).Warning(
                "{Whose}log file {Path}: cannot be opened again: {Reason}; lines still go to the file that was opened before",
                _service,
                _path,
                refusal.Reason);
        }

        return null;
    }

    private static string Remedy(string errno) => errno switch
    {
        "ENOENT" => "create the directory, or name another file",
        "EACCES" or "EPERM" or "EROFS" => "give the daemon's user write access, or name another file",
        "EISDIR" => "the path is a directory: name a file in it",
        "ETIMEDOUT" => "check why the file system does not respond",
        "ENOSPC" or "EDQUOT" => "free disk space",
        _ => "the newest lines are in \"listenctl logs\"",
    };

    private void Lose(int lines, SystemCallError why) => Lose(lines, FileRefusal.Of(why));

    private void Lose(int lines, FileRefusal why)
    {
        if (_lost == 0)
        {
            _log.Kind(MessageIds.LogFileFailed).Error(
                "{Whose}log file {Path}: {Reason}: lines are lost until it works again; {Remedy}",
                _service,
                _path,
                why.Reason,
                why.Remedy ?? Remedy(why.Error?.Name ?? ""));
        }

        _lost += lines;
    }

    private sealed record Opening(DescriptorHandle? File, Files.Status Status, FileRefusal? Refusal);
}
